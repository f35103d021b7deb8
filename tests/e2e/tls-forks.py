# SPDX-License-Identifier: Apache-2.0
# Handshakes in memory, from threads and from children of a process that has threads which made some
# before (none is inside libcrypto at the fork: it has locks that a child would find taken). A server of
# its own in each demands the certificate: a signature that was meant for another handshake fails here.
#
#   tls-forks.py CERT KEY CA SERVER-CERT SERVER-KEY THREADS CHILDREN HANDSHAKES
#
# Prints {"good": N, "bad": [texts]}: in each thread HANDSHAKES before and HANDSHAKES after the fork, in each
# child HANDSHAKES, alternately of TLS 1.2 and 1.3.
import json
import os
import ssl
import sys
import threading

cert, key, ca, server_cert, server_key = sys.argv[1:6]
threads, children, handshakes = map(int, sys.argv[6:9])

client_context = ssl.create_default_context(cafile=ca)
client_context.load_cert_chain(cert, key)
server_contexts = []
for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(server_cert, server_key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server_contexts.append(context)


def handshake(server_context):
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            return
    raise AssertionError("the handshake does not end")


def many():
    good, bad = 0, []
    for i in range(handshakes):
        try:
            handshake(server_contexts[i % 2])
            good += 1
        except Exception as error:  # whatever it is, it is what we look for
            bad.append(f"{type(error).__name__}: {error}")
    return good, bad


def child(pipe):
    os.write(pipe, json.dumps(many()).encode()[:60000])
    os._exit(0)


def thread():
    results.append(many())
    barrier.wait()
    barrier.wait()
    results.append(many())


results = []
barrier = threading.Barrier(threads + 1)
workers = [threading.Thread(target=thread) for _ in range(threads)]
for worker in workers:
    worker.start()
barrier.wait()
pipes = []
for _ in range(children):
    reader, writer = os.pipe()
    if os.fork() == 0:
        child(writer)
    os.close(writer)
    pipes.append(reader)
barrier.wait()
for worker in workers:
    worker.join()
for reader in pipes:
    with os.fdopen(reader, "rb") as stream:
        text = stream.read()
    results.append(json.loads(text) if text else (0, ["a child died"]))
for _ in range(children):
    os.wait()
print(json.dumps({"good": sum(good for good, _ in results), "bad": [text for _, bad in results for text in bad]}))
