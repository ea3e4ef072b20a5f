#include "sim/helper/pcap.h"

#include "core/assert.h"
#include "ns3/pcap-file-wrapper.h"
#include "ns3/simulator.h"
#include "sim/scenario/scenario.h"

namespace sennit {

namespace {

void write(ns3::Ptr<ns3::PcapFileWrapper> file, ns3::Ptr<const ns3::Packet> packet) {
  file->Write(ns3::Simulator::Now(), packet);
}

}  // namespace

void capture(ns3::Ptr<ns3::NetDevice> device, const std::filesystem::path& file) {
  constexpr std::uint32_t raw_ip = 101;  // LINKTYPE_RAW
  const auto pcap = ns3::CreateObject<ns3::PcapFileWrapper>();
  pcap->Open(file.string(), std::ios::out);
  if (pcap->Fail()) throw InputError(file.string() + ": cannot be written");
  pcap->Init(raw_ip);
  for (const char* source : {"MacTx", "MacRx"}) {
    const bool connected =
        device->TraceConnectWithoutContext(source, ns3::MakeBoundCallback(&write, pcap));
    SENNIT_ASSERT(connected);
  }
}

}  // namespace sennit
