#!/usr/bin/env python3
"""Makes picks.csv: which server a real nginx picks with "hash … consistent", for many keys and two sets of servers.

Run it where nginx (Debian's 1.22 made the file that is committed) is installed: python3 make.py > picks.csv
Only loopback; the nginx it starts is ended by its process id.
"""
import http.client
import os
import subprocess
import sys
import tempfile
import time

BASE = 22000
SETS = {"equal": [1, 1, 1, 1, 1, 1, 1], "weighted": [1, 2, 5, 3]}


def main():
    with tempfile.TemporaryDirectory() as folder:
        text = f"master_process off; daemon off; pid {folder}/pid; error_log {folder}/error;\nevents {{}}\nhttp {{ access_log off;\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
            text += f" {kind}_temp_path {folder}/{kind};\n"
        for number in range(1, 8):
            text += f" server {{ listen 127.0.0.1:{BASE + number}; return 200 s{number}; }}\n"
        for index, (name, weights) in enumerate(SETS.items()):
            text += f" upstream {name} {{ hash $arg_k consistent;\n"
            for number, weight in enumerate(weights, 1):
                text += f"  server 127.0.0.1:{BASE + number} weight={weight};\n"
            text += f" }}\n server {{ listen 127.0.0.1:{BASE + 100 + index}; location / {{ proxy_pass http://{name}; }} }}\n"
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(text + "}\n")
        server = subprocess.Popen(["nginx", "-c", path], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            for index, (name, weights) in enumerate(SETS.items()):
                print(f"# {name}: weights {weights}, servers 127.0.0.1:{BASE + 1} and up")
                for number in range(300):
                    connection = http.client.HTTPConnection("127.0.0.1", BASE + 100 + index, timeout=5)
                    connection.request("GET", f"/?k=user{number}")
                    print(f"{name},user{number},{connection.getresponse().read().decode()}")
                    connection.close()
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
