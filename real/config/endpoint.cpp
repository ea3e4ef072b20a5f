#include "real/config/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sennit {
namespace {

template <class SocketAddress>
Address pack(const SocketAddress& from) {
  Address address;
  std::memcpy(address.bytes.data(), &from, sizeof from);
  return address;
}
template <class SocketAddress>
SocketAddress unpack(const Address& address) {
  SocketAddress to;
  std::memcpy(&to, address.bytes.data(), sizeof to);
  return to;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, port);
  if (result.ec != std::errc{} || result.ptr != end || port == 0) return {};
  return port;
}

}  // namespace

sa_family_t family_of(const Address& address) { return unpack<sockaddr>(address).sa_family; }

socklen_t size_of(const Address& address) {
  return family_of(address) == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

Address to_address(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &from, sizeof v6);
    v6.sin6_flowinfo = 0;
    return pack(v6);
  }
  sockaddr_in v4;
  std::memcpy(&v4, &from, sizeof v4);
  return pack(v4);
}

std::optional<Address> parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {};
  const auto port = parse_port(std::string_view(text).substr(colon + 1));
  if (!port) return {};
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(*port);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1) return {};
    return pack(v6);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(*port);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return {};
  return pack(v4);
}

std::string show(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (family_of(address) == AF_INET6) {
    const auto v6 = unpack<sockaddr_in6>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return fmt::format("[{}]:{}", text, ntohs(v6.sin6_port));
  }
  if (family_of(address) != AF_INET) return "-";
  const auto v4 = unpack<sockaddr_in>(address);
  inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  return fmt::format("{}:{}", text, ntohs(v4.sin_port));
}

bool is_ipv4(const Prefix& prefix) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return prefix.length >= 96 && std::equal(mapped.begin(), mapped.end(), prefix.address.begin());
}

std::uint8_t prefix_length(const Prefix& prefix) {
  return static_cast<std::uint8_t>(is_ipv4(prefix) ? prefix.length - 96 : prefix.length);
}

std::string show(const Prefix& prefix) {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ipv4(prefix)) {
    inet_ntop(AF_INET, prefix.address.data() + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, prefix.address.data(), text, sizeof text);
  }
  return fmt::format("{}/{}", text, prefix_length(prefix));
}

}  // namespace sennit
