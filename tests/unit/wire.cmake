# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(wire_frame DEPENDS wire)
qseal_unit_test(wire_channel DEPENDS wire)
qseal_unit_test(wire_io DEPENDS wire)
qseal_unit_test(wire_serve DEPENDS wire)
qseal_unit_test(wire_serve_peer DEPENDS wire)
