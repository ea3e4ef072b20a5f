"""How each tunnel is started between two network namespaces: what tunnel_bench.py compares.

A tunnel's device is up with its inner address when start() returns; a packet may still have to wait
for the handshake. Every tunnel encrypts as its makers recommend; the forwarder not at all.
"""

import pathlib
import shutil
import socket
import subprocess
import time

OUTER = ("10.77.0.1", "10.77.0.2")
SECOND_OUTER = ("10.77.1.1", "10.77.1.2")  # of the second link, where a tunnel uses it
INNER = ("10.78.0.1", "10.78.0.2")
PORT = 7001
INNER_MTU = 1400  # for those that leave the choice


class Failed(Exception):
    pass


def run(*command, **options):
    command = [str(word) for word in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout


class Tunnel:
    """One kind of tunnel, started and stopped again and again."""

    name = ""
    program = ""  # looked up on PATH
    device = "tun0"

    def __init__(self, namespaces, folder):
        self.namespaces = namespaces  # two names; end 0 and end 1
        self.folder = pathlib.Path(folder, self.name.replace(" ", "-").replace(",", ""))
        self.folder.mkdir()
        self.processes = []

    @classmethod
    def find(cls):
        """The program's path, or None."""
        return shutil.which(cls.program, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")

    def start(self):
        self.processes = []
        for end in (0, 1):
            self.launch(end, self.command(end))
        for end in (0, 1):
            self.wait_for_device(end)
            self.configure(end)

    def launch(self, end, command):
        log = open(self.folder / f"{end}.log", "ab")
        command = ["ip", "netns", "exec", self.namespaces[end], *map(str, command)]
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               cwd=self.folder))
        log.close()

    def command(self, end):
        raise NotImplementedError

    def wait_for_device(self, end):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.processes[end].poll() is not None:
                raise Failed(f"{self.name}: ended at once: {self.log(end)}")
            if self.ip(end, "link", "show", "dev", self.device, check=False):
                return
            time.sleep(0.05)
        raise Failed(f"{self.name}: no device {self.device} after 10 s: {self.log(end)}")

    def configure(self, end):
        self.ip(end, "address", "replace", f"{INNER[end]}/24", "dev", self.device)
        self.ip(end, "link", "set", self.device, "mtu", INNER_MTU, "up")

    def ip(self, end, *words, check=True):
        try:
            return run("ip", "-n", self.namespaces[end], *words)
        except Failed:
            if check:
                raise
            return ""

    def log(self, end):
        return (self.folder / f"{end}.log").read_text(errors="replace")[-400:].strip()

    def pids(self):
        # `ip netns exec` becomes the program, so its process is the tunnel's.
        return [process.pid for process in self.processes]

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []
        for end in (0, 1):
            self.ip(end, "link", "delete", self.device, check=False)


class Forwarder(Tunnel):
    name = "forwarder"
    build = None  # set by tunnel_bench.py
    options = ()

    @classmethod
    def find(cls):
        path = cls.build / "bin" / "gso_forwarder"
        return path if path.exists() else None

    def command(self, end):
        local, remote = OUTER[end], OUTER[1 - end]
        return [self.find(), self.device, f"{local}:{PORT}", f"{remote}:{PORT}", *self.options]

    def configure(self, end):
        super().configure(end)
        # With its virtio header and a length it must fit into one UDP send.
        self.ip(end, "link", "set", self.device, "gso_max_size", 64000)


class PerPacketForwarder(Forwarder):
    name = "forwarder, one call a packet"
    options = ("--per-packet",)

    def configure(self, end):
        Tunnel.configure(self, end)


class Sennit(Tunnel):
    name = "sennitd"
    device = "sennit0"
    build = None
    links = 1

    @classmethod
    def find(cls):
        path = cls.build / "bin" / "sennitd"
        return path if path.exists() else None

    def start(self):
        keys = [run(self.build / "bin" / "sennitctl", "keygen").split() for _ in (0, 1)]
        for end in (0, 1):
            self.write_config(end, own=keys[end][1], peer=keys[1 - end][3])
        super().start()

    def write_config(self, end, own, peer):
        remotes = [OUTER[1 - end], SECOND_OUTER[1 - end]][:self.links]
        links = "".join(f"  - {{name: wan{i}, interface: wan{i}}}\n" for i in range(self.links))
        endpoints = "".join(f"      - {{name: wan{i}, address: '{remote}:51820'}}\n"
                            for i, remote in enumerate(remotes))
        paths = "".join(f"      - {{name: wan{i}, link: wan{i}, endpoint: wan{i}}}\n"
                        for i in range(self.links))
        (self.folder / f"{end}.yaml").write_text(
            f"interface: {{name: {self.device}, addresses: [{INNER[end]}/24]}}\n"
            f"private_key: '{own}'\n"
            f"control: {self.folder}/{end}.sock\n"
            f"links:\n{links}"
            f"peers:\n  - name: other\n    public_key: '{peer}'\n    endpoints:\n{endpoints}"
            f"    allowed_prefixes: [10.78.0.0/24]\n    paths:\n{paths}")

    def command(self, end):
        return [self.find(), "--config", self.folder / f"{end}.yaml"]

    def configure(self, end):
        pass  # it does that


class SennitTwoLinks(Sennit):
    name = "sennitd, two links"
    links = 2


class WireguardGo(Tunnel):
    name = "wireguard-go"
    program = "wireguard-go"

    def __init__(self, namespaces, folder):
        super().__init__(namespaces, folder)
        self.keys = [self.key_pair(end) for end in (0, 1)]

    def key_pair(self, end):
        """X25519 by openssl: the raw key is the last 32 bytes of either DER form."""
        file = self.folder / f"{end}.der"
        run("openssl", "genpkey", "-algorithm", "X25519", "-outform", "DER", "-out", file)
        public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-in", file, "-pubout", "-outform", "DER"],
                                stdout=subprocess.PIPE, check=True).stdout
        return file.read_bytes()[-32:].hex(), public[-32:].hex()

    def device_of(self, end):
        return f"wgbench{end}"  # also the name of its socket, which both ends share a folder for

    def command(self, end):
        return [self.find(), "--foreground", self.device_of(end)]

    def wait_for_device(self, end):
        self.device = self.device_of(end)
        super().wait_for_device(end)

    def configure(self, end):
        self.device = self.device_of(end)
        path = f"/var/run/wireguard/{self.device}.sock"
        deadline = time.monotonic() + 5
        while not pathlib.Path(path).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(path)
            control.sendall((f"set=1\nprivate_key={self.keys[end][0]}\nlisten_port={PORT}\n"
                             f"public_key={self.keys[1 - end][1]}\nendpoint={OUTER[1 - end]}:{PORT}\n"
                             "allowed_ip=10.78.0.0/24\n\n").encode())
            answer = control.recv(1000).decode()
        if "errno=0" not in answer:
            raise Failed(f"{self.name}: {answer}")
        super().configure(end)

    def stop(self):
        super().stop()
        for end in (0, 1):
            self.ip(end, "link", "delete", self.device_of(end), check=False)


class OpenVpn(Tunnel):
    name = "openvpn"
    program = "openvpn"

    def __init__(self, namespaces, folder):
        super().__init__(namespaces, folder)
        self.prints = [self.certificate(end) for end in (0, 1)]

    def certificate(self, end):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", self.folder / f"{end}.key", "-out", self.folder / f"{end}.crt", "-subj", "/CN=end",
            "-days", "2")
        text = run("openssl", "x509", "-in", self.folder / f"{end}.crt", "-noout", "-fingerprint", "-sha256")
        return text.strip().split("=")[1]

    def command(self, end):
        role = ["--tls-server", "--dh", "none"] if end == 0 else ["--tls-client"]
        return [self.find(), "--dev", self.device, "--dev-type", "tun", "--ifconfig", INNER[end], INNER[1 - end],
                "--local", OUTER[end], "--remote", OUTER[1 - end], "--port", PORT, "--proto", "udp",
                "--cert", f"{end}.crt", "--key", f"{end}.key", "--peer-fingerprint", self.prints[1 - end],
                "--data-ciphers", "AES-256-GCM", "--tun-mtu", INNER_MTU, "--disable-dco", *role]

    def configure(self, end):
        pass  # it does that


class Fastd(Tunnel):
    name = "fastd"
    program = "fastd"

    def start(self):
        secrets = [run(self.find(), "--generate-key", "--machine-readable").split()[-1] for _ in (0, 1)]
        public = [run(self.find(), "--show-key", "--machine-readable", "--config", self.write(end, secret)).split()[-1]
                  for end, secret in enumerate(secrets)]
        for end in (0, 1):
            with open(self.folder / f"{end}.conf", "a") as config:
                config.write(f'peer "other" {{ key "{public[1 - end]}"; remote {OUTER[1 - end]}:{PORT}; }}\n')
        super().start()

    def write(self, end, secret):
        path = self.folder / f"{end}.conf"
        path.write_text(f'mode tun; interface "{self.device}"; mtu {INNER_MTU};\n'
                        f'method "salsa2012+umac"; bind {OUTER[end]}:{PORT};\nsecret "{secret}";\n')
        return path

    def command(self, end):
        return [self.find(), "--config", f"{end}.conf"]


class Tinc(Tunnel):
    name = "tinc"
    program = "tincd"

    def __init__(self, namespaces, folder):
        super().__init__(namespaces, folder)
        hosts = []
        for end in (0, 1):
            home = self.folder / f"end{end}"
            (home / "hosts").mkdir(parents=True)
            (home / "tinc.conf").write_text(f"Name = end{end}\nConnectTo = end{1 - end}\nDeviceType = tun\n"
                                            f"Interface = {self.device}\nAddressFamily = ipv4\n")
            (home / "hosts" / f"end{end}").write_text(
                f"Address = {OUTER[end]} {PORT}\nPort = {PORT}\nSubnet = {INNER[end]}/32\n"
                "Cipher = aes-256-cbc\nDigest = sha256\n")
            run(self.find(), "-c", home, "-K2048", stdin=subprocess.DEVNULL)
            hosts.append(home / "hosts" / f"end{end}")
        for end in (0, 1):
            shutil.copy(hosts[1 - end], self.folder / f"end{end}" / "hosts")

    def command(self, end):
        return [self.find(), "-c", f"end{end}", "-D", "--pidfile", f"end{end}.pid"]


ALL = (Forwarder, Sennit, SennitTwoLinks, WireguardGo, PerPacketForwarder, OpenVpn, Fastd, Tinc)
