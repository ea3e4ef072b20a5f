// Files that are no readable trace, each with a message that says what there is and what is
// allowed. What a good one holds is read back in sim/runner/why_test.cpp.
#include "sim/results/trace_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "sim/results/hdf5.h"
#include "sim/results/trace_file.h"
#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

namespace fs = std::filesystem;

class TraceReaderTest : public testing::Test {
 protected:
  TraceReaderTest() { fs::create_directories(folder_); }
  ~TraceReaderTest() override { fs::remove_all(folder_); }
  fs::path file() const { return folder_ / "trace.h5"; }
  void write_trace(std::size_t packets) {
    Scenario scenario;
    scenario.name = "reader-test";
    scenario.duration = 10s;
    scenario.links.push_back({"lte", {}, {}, 0, {}});
    Variant variant;
    variant.name = "default";
    variant.links = {"lte"};
    variant.tunnel.scheduler.algorithm = "min-rtt";
    TraceFile trace({scenario, variant, 3, "ns3"}, file());
    std::vector<TraceRecord> records(packets);
    for (std::size_t i = 0; i < packets; ++i) records[i].sequence = i;
    trace.add_packets(End::b, records);
    trace.finish(1, true);
  }
  void expect_refused(const fs::path& place, const std::string& words) {
    try {
      TraceReader reader{place};
      ADD_FAILURE() << "it was accepted";
    } catch (const InputError& error) {
      const std::string said = error.what();
      EXPECT_TRUE(said.starts_with(place.string())) << said;
      EXPECT_NE(said.find(words), std::string::npos) << said;
    }
  }
  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      (std::string("reader_") + testing::UnitTest::GetInstance()->current_test_info()->name() +
       std::to_string(getpid()));
};

TEST_F(TraceReaderTest, reads_every_record_and_what_the_file_says_about_itself) {
  write_trace(40'000);
  const TraceReader trace{folder_};
  EXPECT_EQ(trace.info().scenario, "reader-test");
  EXPECT_EQ(trace.info().scheduler, "min-rtt");
  EXPECT_EQ(trace.info().links, (std::vector<std::string>{"lte"}));
  EXPECT_EQ(trace.info().classes.at(2), "bulk");
  EXPECT_EQ(trace.info().seed, 3u);
  EXPECT_TRUE(trace.info().complete);
  std::uint64_t next = 0;
  trace.each_packet([&](std::span<const TraceRow> rows) {
    for (const TraceRow& row : rows) {
      EXPECT_EQ(row.sequence, next++);
      EXPECT_EQ(row.end, 1);
    }
    return true;
  });
  EXPECT_EQ(next, 40'000u);
}

TEST_F(TraceReaderTest, stops_when_the_reader_has_enough) {
  write_trace(40'000);
  std::size_t calls = 0;
  TraceReader{file()}.each_packet([&](std::span<const TraceRow>) { return ++calls < 2; });
  EXPECT_EQ(calls, 2u);
}

TEST_F(TraceReaderTest, a_missing_file_says_what_is_allowed) {
  expect_refused(folder_ / "nothing", "no such file or folder; allowed is a run's folder");
}

TEST_F(TraceReaderTest, a_folder_without_a_trace_says_what_it_has) {
  std::ofstream(folder_ / "summary.json") << "{}";
  expect_refused(folder_,
                 "has no trace.h5 (a run with --no-trace writes none); there is "
                 "summary.json");
}

TEST_F(TraceReaderTest, a_file_that_is_not_HDF5_is_refused) {
  std::ofstream(file()) << "no HDF5";
  expect_refused(file(), "cannot be read as HDF5");
}

TEST_F(TraceReaderTest, a_truncated_file_is_refused_as_such) {
  write_trace(40'000);
  for (const std::uintmax_t left : {fs::file_size(file()) / 2, std::uintmax_t{100}}) {
    fs::resize_file(file(), left);
    expect_refused(file(), "truncated");
  }
}

TEST_F(TraceReaderTest, HDF5_of_another_kind_is_refused) {
  hdf5::create_file(file().string());
  expect_refused(file(), "is HDF5, but not a trace");
}

TEST_F(TraceReaderTest, a_trace_without_packet_events_says_which_setting_makes_them) {
  write_trace(0);
  expect_refused(file(), "tunnel.trace_packets: true");
}

TEST_F(TraceReaderTest, a_trace_of_before_there_were_decisions_is_to_be_made_again) {
  write_trace(1);
  {
    const hdf5::Handle opened{H5Fopen(file().c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose};
    ASSERT_GE(H5Adelete_by_name(opened.get(), "packets", "reason_names", H5P_DEFAULT), 0);
  }
  expect_refused(file(), "has no decisions");
}

}  // namespace
}  // namespace sennit
