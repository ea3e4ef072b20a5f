#!/usr/bin/env bash
# Installs what sennit needs on Debian 12 or Ubuntu 24.04. Run as root or with sudo rights; running
# it again costs nothing. Builds nothing.
set -euo pipefail

# What each is for: docs/dependencies.md.
packages=(
  g++ cmake ninja-build ccache pkg-config
  libssl-dev libisal-dev libeigen3-dev libboost-dev
  libns3-dev ns3 libgsl-dev libsqlite3-dev libxml2-dev
  libyaml-cpp-dev libhdf5-dev nlohmann-json3-dev libcli11-dev libfmt-dev
  libspdlog-dev libmnl-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  clang clang-format clang-tidy binutils
  python3 python3-numpy python3-h5py python3-pandas python3-matplotlib python3-pil python3-pytest
  iperf3 iproute2 iputils-ping
)
# A faster AES-GCM, for x86 only.
if [ "$(dpkg --print-architecture)" = amd64 ]; then
  packages+=(libipsec-mb-dev)
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup.sh: not root and no sudo: install ${missing[*]}" >&2
    exit 2
  }
  as_root=(sudo)
fi
echo "setup.sh: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
