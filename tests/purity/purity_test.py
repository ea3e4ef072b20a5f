#!/usr/bin/env python3
"""The core is pure: no clock, socket, file, thread, environment or randomness of the system.

Two looks, both by what is allowed, so that a new way out is found without knowing its name: the
undefined symbols of the library, and the headers that its sources include. A deliberately impure
object must be refused, or the test itself is broken.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

SYMBOLS = re.compile("|".join((
    r"_ZN6sennit|_ZNK6sennit|_ZT[ISV]N6sennit|_ZGV",      # our own, in another object
    r"EVP_(CIPHER|KDF|Encrypt|Decrypt)|OSSL_PARAM_|OPENSSL_cleanse$|CRYPTO_memcmp$",  # AEAD, HKDF
    r"(alloc|free)_mb_mgr$|init_mb_mgr_auto$|imb_get_errno$",  # the multi-buffer library's AEAD
    r"(ec|gf)_[a-z_0-9]+$",                               # ISA-L
    r"_Z(nw|na|dl|da)",                                   # operator new and delete
    r"_ZSt\d+__throw_|_ZSt7nothrow$|_ZNSt9exception|_ZTISt|_ZTVSt|_ZNSt12out_of_range",
    r"_ZNSt\d+_V2|_ZN9__gnu_cxx|_ZNK?Ss|_ZNK?St7__cxx11|_ZTVN10__cxxabiv1|_ZSt9terminatev$",
    r"_ZNSt15_List_node_base|_ZNSt8__detail15_List_node|_ZSt\d+_Rb_tree_",  # std::list, std::map
    r"__cxa_|__gxx_personality_v0$|_Unwind_|_GLOBAL_OFFSET_TABLE_$|__dso_handle$",
    r"__libc_single_threaded$|__clang_call_terminate$",
    r"__(u?divti3|u?modti3|popcountdi2|muloti4)$",        # 128-bit arithmetic
    r"(mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr)|bcmp)$",
    r"(sqrt|cbrt|log|log2|log10|log1p|exp|exp2|expm1|pow|cos|sin|floor|ceil|round|l?lround|fmod|ldexp|frexp)f?$",
    r"abort$",
    r"(snprintf|__snprintf_chk|__stack_chk_fail|vsnprintf)$",  # numbers in find_fault's sentences
)))

LAST_WORDS = re.compile(r"(fprintf|fputs|fwrite|stderr|__fprintf_chk)$")  # core/assert.cpp only

HEADERS = {
    "algorithm", "array", "bit", "bitset", "chrono", "cmath", "compare", "concepts", "cstddef", "cstdint", "cstdlib",
    "cstring", "deque", "functional", "iterator", "limits", "map", "memory", "new", "numbers",
    "numeric", "optional", "queue", "ranges", "set", "span", "string", "string_view", "tuple",
    "type_traits", "utility", "variant", "vector", "charconv", "isa-l.h", "initializer_list",
    "openssl/core_names.h", "openssl/crypto.h", "openssl/evp.h", "openssl/kdf.h",
    "openssl/params.h", "intel-ipsec-mb.h",
}
EXCEPTIONS = {("assert.cpp", "cstdio"), ("config.cpp", "cstdio")}  # abort's message; snprintf

# What must be found, each by a part of its symbol's name.
IMPURE = {
    "steady_clock": "#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }",
    "system_clock": "#include <chrono>\nauto f() { return std::chrono::system_clock::now(); }",
    "clock_gettime": "#include <time.h>\nint f(timespec* t) { return clock_gettime(CLOCK_REALTIME, t); }",
    "time": "#include <ctime>\nauto f() { return std::time(nullptr); }",
    "socket": "#include <sys/socket.h>\nint f() { return socket(AF_INET, SOCK_DGRAM, 0); }",
    "open": "#include <fcntl.h>\nint f() { return open(\"/etc/passwd\", O_RDONLY); }",
    "basic_ofstream": "#include <fstream>\nvoid f() { std::ofstream(\"x\") << 1; }",
    "cout": "#include <iostream>\nvoid f() { std::cout << 1; }",
    "printf": "#include <cstdio>\nvoid f(int x) { std::printf(\"%d\", x); }",
    "stderr": "#include <cstdio>\nvoid f(int x) { std::fprintf(stderr, \"%d\", x); }",
    "getenv": "#include <cstdlib>\nauto f() { return std::getenv(\"HOME\"); }",
    "rand": "#include <cstdlib>\nint f() { return std::rand(); }",
    "random_device": "#include <random>\nauto f() { return std::random_device{}(); }",
    "getrandom": "#include <sys/random.h>\nauto f(char* p) { return getrandom(p, 8, 0); }",
    "RAND_bytes": "#include <openssl/rand.h>\nint f(unsigned char* p) { return RAND_bytes(p, 8); }",
    "thread": "#include <thread>\nvoid f() { std::thread([] {}).join(); }",
    "filesystem": "#include <filesystem>\nauto f() { return std::filesystem::exists(\"x\"); }",
}
IMPURE_INCLUDES = "#include <iostream>\n#include <sys/socket.h>\n#include <vector>\n"


def foreign_symbols(binary):
    """Undefined symbols that no pure core needs, with the object that wants them; those that the
    archive itself defines are fine."""
    listing = subprocess.run(["nm", "-A", "-P", binary], stdout=subprocess.PIPE, check=True, text=True)
    rows = [line.rsplit(": ", 1) for line in listing.stdout.splitlines() if ": " in line]
    rows = [(place, *symbol.split()[:2]) for place, symbol in rows]
    defined = {name for _, name, kind in rows if kind not in "Uw"}
    found = set()
    for place, name, kind in rows:
        last_words = "assert.cpp" in place and LAST_WORDS.match(name)
        if kind == "U" and name not in defined and not SYMBOLS.match(name) and not last_words:
            found.add(f"{name} in {place}")
    return sorted(found)


def includes(text):
    return re.findall(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", text, re.M)


def foreign_headers(core):
    found = []
    for file in sorted(core.rglob("*")):
        relative = file.relative_to(core)
        if file.suffix not in (".h", ".cpp") or relative.parts[0] == "testing":
            continue
        if re.search(r"_(test|bench|fuzz)\.cpp$", file.name) or file.name in TEST_SUPPORT:
            continue
        text = file.read_text()
        for header in re.findall(r'^#include "([^"]+)"', text, re.M):
            if not header.startswith("core/"):
                found.append(f'{relative}: "{header}"')
        for header in includes(text):
            if header not in HEADERS and (file.name, header) not in EXCEPTIONS:
                found.append(f"{relative}: <{header}>")
    return found


# Used by tests only, beside what they test.
TEST_SUPPORT = {"counting_new.h", "fec_pair.h", "test_drive.h", "sample_paths.h",
                "inner_packet_samples.h"}


def blind_spots(compiler):
    """Which impure objects pass as pure."""
    passed = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in IMPURE.items():
            source = pathlib.Path(folder, "impure.cpp")
            source.write_text(text)
            binary = f"{folder}/impure.o"
            subprocess.run([compiler, "-std=c++20", "-c", source, "-o", binary], check=True)
            if not any(name in symbol for symbol in foreign_symbols(binary)):
                passed.append(name)
    if [h for h in includes(IMPURE_INCLUDES) if h not in HEADERS] != ["iostream", "sys/socket.h"]:
        passed.append("headers")
    return passed


def main():
    library, compiler, source = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    if passed := blind_spots(compiler):
        sys.exit(f"passed as pure, so this test is broken: {', '.join(passed)}")
    problems = [f"undefined symbol {s}" for s in foreign_symbols(library)]
    problems += foreign_headers(source / "core")
    if problems:
        sys.exit("core/ is not pure:\n  " + "\n  ".join(problems))
    print("core/ is pure")


main()
