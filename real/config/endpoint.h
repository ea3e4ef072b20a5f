// Socket addresses: the core's opaque Address holds a sockaddr_in or sockaddr_in6, zeros after it,
// so that equal addresses are equal bytes.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/config.h"
#include "core/tunnel.h"

namespace sennit {

static_assert(sizeof(Address::bytes) >= sizeof(sockaddr_in6));

/// AF_INET, AF_INET6, or AF_UNSPEC for an address that is not known yet.
sa_family_t family_of(const Address&);
/// Of the sockaddr inside.
socklen_t size_of(const Address&);
Address to_address(const sockaddr_storage&);

/// "192.0.2.1:51820" or "[2001:db8::1]:51820"; numbers only.
std::optional<Address> parse_endpoint(const std::string& text);
/// The same text back; "-" for an address that is not known.
std::string show(const Address&);

/// "10.0.0.0/8"
std::string show(const Prefix&);
bool is_ipv4(const Prefix&);
/// Of its own family: 0..32 or 0..128.
std::uint8_t prefix_length(const Prefix&);

}  // namespace sennit
