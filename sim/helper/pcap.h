// Packet captures of devices that carry bare IP packets.
#pragma once

#include <filesystem>

#include "ns3/net-device.h"

namespace sennit {

/// Writes every packet that the device sends or receives to `file` until the end of the simulation.
/// The device needs ns-3's trace sources MacTx and MacRx. Throws InputError when the file cannot be
/// written.
void capture(ns3::Ptr<ns3::NetDevice> device, const std::filesystem::path& file);

}  // namespace sennit
