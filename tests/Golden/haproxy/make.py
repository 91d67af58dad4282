#!/usr/bin/env python3
"""Makes picks.csv: which server a real HAProxy picks, for many keys and every hash-type, function and modifier.

Run it where haproxy (Debian's 2.6 made the file that is committed) is installed: python3 make.py > picks.csv
Only loopback; the haproxy it starts is ended by its process id.
"""
import http.client
import subprocess
import sys
import tempfile
import time

BASE, SERVERS = 21000, [("s1", 1), ("s2", 2), ("s3", 3), ("s4", 1), ("s5", 5)]
KEYS = [f"/app/{a}/item{n}?user={n * 7}&x={a}" for n in range(20) for a in ("a", "bb")]
VARIANTS = {}
for kind in ("map-based", "consistent"):
    for function in ("sdbm", "djb2", "wt6", "crc32"):
        for avalanche in ("", " avalanche"):
            VARIANTS[f"{kind}|{function}|{avalanche.strip() or '-'}|uri"] = ("uri", f"hash-type {kind} {function}{avalanche}")
for kind in ("map-based", "consistent"):
    for balance in ("uri whole", "uri len 8", "uri depth 2", "url_param user", "hdr(X-Key)", "hdr(Host) use_domain_only"):
        VARIANTS[f"{kind}|sdbm|avalanche|{balance}"] = (balance, f"hash-type {kind} sdbm avalanche")


def main():
    text = "global\n  maxconn 500\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 10s\n  timeout server 10s\n"
    for index, (name, _) in enumerate(SERVERS):
        text += f"frontend f_{name}\n  bind 127.0.0.1:{BASE + index}\n  http-request return status 200 content-type text/plain string {name}\n"
    for index, (balance, hashing) in enumerate(VARIANTS.values()):
        text += f"listen v{index}\n  bind 127.0.0.1:{BASE + 100 + index}\n  balance {balance}\n  {hashing}\n"
        for number, (name, weight) in enumerate(SERVERS):
            text += f"  server {name} 127.0.0.1:{BASE + number} weight {weight}\n"
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        file.write(text)
        file.flush()
        proxy = subprocess.Popen(["haproxy", "-db", "-f", file.name], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            print("# hash-type|function|modifier|balance,key,server   (weights: " + " ".join(f"{n}={w}" for n, w in SERVERS) + ")")
            for index, variant in enumerate(VARIANTS):
                for number, key in enumerate(KEYS):
                    connection = http.client.HTTPConnection("127.0.0.1", BASE + 100 + index, timeout=5)
                    connection.request("GET", key, headers={"X-Key": f"user-{number}", "Host": f"www.shop{number}.example"})
                    print(f"{variant},{key},{connection.getresponse().read().decode()}")
                    connection.close()
        finally:
            proxy.terminate()
            proxy.wait(10)


if __name__ == "__main__":
    sys.exit(main())
