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
    r"EVP_(CIPHER|KDF|Encrypt|Decrypt)|OSSL_PARAM_|OPENSSL_cleanse$",  # AEAD and HKDF
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
    r"(abort|fprintf|fputs|fwrite|stderr|__fprintf_chk)$",  # core/assert.cpp's last words
    r"(snprintf|__snprintf_chk|__stack_chk_fail|vsnprintf)$",  # numbers in find_fault's sentences
)))

HEADERS = {
    "algorithm", "array", "bit", "bitset", "chrono", "cmath", "compare", "concepts", "cstddef", "cstdint", "cstdlib",
    "cstring", "deque", "functional", "iterator", "limits", "map", "memory", "new", "numbers",
    "numeric", "optional", "queue", "ranges", "set", "span", "string", "string_view", "tuple",
    "type_traits", "utility", "variant", "vector", "charconv", "isa-l.h", "initializer_list",
    "openssl/core_names.h", "openssl/crypto.h", "openssl/evp.h", "openssl/kdf.h",
    "openssl/params.h",
}
EXCEPTIONS = {("assert.cpp", "cstdio"), ("config.cpp", "cstdio")}  # abort's message; snprintf

IMPURE = """
#include <chrono>
#include <fstream>
long leak() { std::ofstream("x") << 1; return std::chrono::steady_clock::now().time_since_epoch().count(); }
"""


def foreign_symbols(binary):
    """Undefined symbols that no pure core needs; those that the archive itself defines are fine."""
    listing = subprocess.run(["nm", "-P", binary], stdout=subprocess.PIPE, check=True, text=True)
    rows = [line.split() for line in listing.stdout.splitlines()]
    rows = [row for row in rows if len(row) >= 2]
    defined = {row[0] for row in rows if row[1] not in "Uw"}
    wanted = {row[0] for row in rows if row[1] == "U"}
    return sorted(s for s in wanted - defined if not SYMBOLS.match(s))


def foreign_headers(core):
    found = []
    for file in sorted(core.rglob("*")):
        relative = file.relative_to(core)
        if file.suffix not in (".h", ".cpp") or relative.parts[0] == "testing":
            continue
        if re.search(r"_(test|bench|fuzz)\.cpp$", file.name) or file.name in TEST_SUPPORT:
            continue
        for header in re.findall(r"^#include <([^>]+)>", file.read_text(), re.M):
            if header not in HEADERS and (file.name, header) not in EXCEPTIONS:
                found.append(f"{relative}: <{header}>")
    return found


# Used by tests only, beside what they test.
TEST_SUPPORT = {"counting_new.h", "fec_pair.h", "test_drive.h", "sample_paths.h",
                "inner_packet_samples.h"}


def main():
    library, compiler, source = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        impure = pathlib.Path(folder, "impure.cpp")
        impure.write_text(IMPURE)
        subprocess.run([compiler, "-std=c++20", "-c", impure, "-o", f"{folder}/impure.o"], check=True)
        if not any("chrono" in s for s in foreign_symbols(f"{folder}/impure.o")):
            sys.exit("an object that reads the clock passed as pure: this test is broken")
    problems = [f"undefined symbol {s}" for s in foreign_symbols(library)]
    problems += foreign_headers(source / "core")
    if problems:
        sys.exit("core/ is not pure:\n  " + "\n  ".join(problems))
    print("core/ is pure")


main()
