#!/usr/bin/env python3
"""Makes keepalived.txt: adverts of a real keepalived, each with the configuration that made it.

Run it as root where keepalived (Debian's 2.2.7 made the file that is committed) and iproute2 are installed: python3 make.py > keepalived.txt
Everything happens in two network namespaces of its own; the keepalived it starts is ended by its process id.

A line is: name, source, destination, TTL or hop limit, message in hex. The last advert of each name is the one sent on SIGTERM.
"""
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

TAG = f"lbg{os.getpid()}"
V4 = ["10.77.0.200/24", "10.77.0.201/24"]
V6 = ["fe80::200/64", "2001:db8:77::200/64"]
PASS = " authentication { auth_type PASS\n auth_pass secret12 }\n"
CASES = [
    ("v2", 2, "", "1", V4, 150, "", 51),
    ("v2-pass", 2, PASS, "1", V4, 150, "", 52),
    ("v3-ipv4", 3, "", "0.1", V4, 200, "", 53),
    ("v3-ipv6", 3, "", "0.25", V6, 254, "", 55),
    ("v3-unicast", 3, "", "0.1", V4, 120, " unicast_peer { 10.77.0.2 }\n", 56),
]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def listen():
    """A socket that hears all frames of the other end; opened while inside its namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{TAG}b", os.O_RDONLY)
    if libc.setns(other, 0) != 0:
        sys.exit("setns failed")
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    heard.bind(("eth0", 3))
    libc.setns(home, 0)
    os.close(other)
    os.close(home)
    return heard


def advert(packet):
    """Source, destination, TTL and VRRP message of an IP packet; None = another one."""
    if packet[0] >> 4 == 4 and packet[9] == 112:
        total = struct.unpack("!H", packet[2:4])[0]
        return socket.inet_ntop(socket.AF_INET, packet[12:16]), socket.inet_ntop(socket.AF_INET, packet[16:20]), packet[8], packet[(packet[0] & 15) * 4:total]
    if packet[0] >> 4 == 6 and packet[6] == 112:
        length = struct.unpack("!H", packet[4:6])[0]
        return socket.inet_ntop(socket.AF_INET6, packet[8:24]), socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[7], packet[40:40 + length]
    return None


def run(folder, case):
    name, version, auth, interval, addresses, priority, extra, vrid = case
    text = f"global_defs {{ router_id golden\n vrrp_version {version}\n }}\nvrrp_instance G {{ state MASTER\n interface eth0\n virtual_router_id {vrid}\n"
    text += f" priority {priority}\n advert_int {interval}\n{auth}{extra} virtual_ipaddress {{\n" + "".join(f"  {a}\n" for a in addresses) + " }\n}\n"
    path = os.path.join(folder, f"{name}.conf")
    with open(path, "w") as file:
        file.write(text)
    print("".join(f"# {line}\n" for line in text.splitlines()), end="")
    heard = listen()
    process = subprocess.Popen(
        ["ip", "netns", "exec", f"{TAG}a", "keepalived", "-P", "-n", "-l", "-f", path, "-p", f"{folder}/{name}.pid", "-r", f"{folder}/{name}.vrrp"],
        stdout=subprocess.DEVNULL, stderr=open(f"{folder}/{name}.log", "w"))
    found, end, stopped = [], time.monotonic() + 12, False
    while time.monotonic() < end:
        heard.settimeout(max(0.05, end - time.monotonic()))
        try:
            one = advert(heard.recv(2048))
        except TimeoutError:
            break
        if one is None:
            continue
        if one[3][2] == 0:
            found.append(one)
            break
        if not found:
            found.append(one)
        elif not stopped:
            stopped = True
            process.send_signal(signal.SIGTERM)
    if not stopped:
        process.send_signal(signal.SIGTERM)
    process.wait(10)
    heard.close()
    if len(found) != 2:
        sys.exit(f"{name}: {len(found)} adverts instead of 2\n" + open(f"{folder}/{name}.log").read())
    for source, destination, ttl, message in found:
        print(f"{name} {source} {destination} {ttl} {message.hex()}")


def main():
    made = []
    try:
        for side in "ab":
            ip("netns", "add", TAG + side)
            made.append(TAG + side)
        ip("link", "add", "eth0", "netns", TAG + "a", "type", "veth", "peer", "name", "eth0", "netns", TAG + "b")
        for side, number in (("a", 1), ("b", 2)):
            ip("-n", TAG + side, "link", "set", "lo", "up")
            ip("-n", TAG + side, "link", "set", "eth0", "address", f"02:00:00:00:77:0{number}")
            ip("-n", TAG + side, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            ip("-n", TAG + side, "link", "set", "eth0", "up")
        time.sleep(3)  # IPv6 looks for duplicates first.
        with tempfile.TemporaryDirectory() as folder:
            for case in CASES:
                run(folder, case)
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name])


if __name__ == "__main__":
    main()
