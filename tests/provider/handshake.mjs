// SPDX-License-Identifier: Apache-2.0
// A client in Node whose key is a reference, against a server in the same process that demands its certificate.
//
//   node tests/provider/handshake.mjs CLIENT_CERTIFICATE KEY_REFERENCE SERVER_CERTIFICATE SERVER_KEY
//
// Prints, for each TLS version, what the server saw: "TLSv1.3 CN=p256".
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [clientCertificate, reference, serverCertificate, serverKey] = process.argv.slice(2).map((path) => readFileSync(path));

const server = https.createServer(
  { cert: serverCertificate, key: serverKey, ca: clientCertificate, requestCert: true, rejectUnauthorized: false },
  (request, response) => {
    response.end(`${request.socket.getProtocol()} CN=${request.socket.getPeerCertificate().subject?.CN}`);
  },
);

const get = (port, version) => new Promise((resolve, reject) => {
  const agent = new https.Agent({
    cert: clientCertificate, key: reference, rejectUnauthorized: false, minVersion: version, maxVersion: version,
  });
  https.get({ host: '127.0.0.1', port, agent }, (response) => {
    let text = '';
    response.on('data', (chunk) => { text += chunk; });
    response.on('end', () => { agent.destroy(); resolve(text); });
  }).on('error', reject);
});

server.listen(0, '127.0.0.1', async () => {
  try {
    for (const version of ['TLSv1.3', 'TLSv1.2']) {
      console.log(await get(server.address().port, version));
    }
  } catch (error) {
    console.log(error.message);
    process.exitCode = 1;
  }
  server.close();
});
