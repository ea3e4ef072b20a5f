#include "sim/results/trace_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <vector>

#include "sim/results/hdf5.h"

namespace sennit {
namespace {

struct World {
  World() {
    scenario.name = "trace-test";
    scenario.text = "name: trace-test\n";
    for (const char* name : {"lte", "dsl"}) scenario.links.push_back({name, {}, {}, 0, {}});
    scenario.traffic.emplace_back().name = "download";
    variant.name = "default";
    variant.links = {"lte", "dsl"};
  }
  RunIdentity identity() const { return {scenario, variant, 3, "ns3"}; }
  Scenario scenario;
  Variant variant;
};

class TraceFileTest : public testing::Test {
 protected:
  ~TraceFileTest() override { std::filesystem::remove(file_); }
  const World world_;
  const std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("sennit_") + testing::UnitTest::GetInstance()->current_test_info()->name() +
       std::to_string(getpid()) + ".h5");
};

std::vector<TraceRecord> records(std::size_t n) {
  std::vector<TraceRecord> all(n);
  for (std::size_t i = 0; i < n; ++i) {
    all[i].at_ns = static_cast<std::int64_t>(i) * 1000;
    all[i].sequence = i;
    all[i].a = i * 0x9e3779b97f4a7c15;  // does not compress
    all[i].size = 1400;
    all[i].kind = TraceKind::sent;
  }
  return all;
}

/// One second of a run.
void write_second(TraceFile& file, double second, std::size_t packets) {
  file.add_packets(End::b, records(packets));
  for (int i = 0; i < 10; ++i) {
    PathRow row{};
    row.time_s = second + 0.1 * i;
    file.add_path(End::b, 1, row);
    file.add_flow(0, {row.time_s, 1, 2, 3, 0});
    file.add_tunnel(End::a, {row.time_s, 0, 0, 0, 0, 0, 0, 0});
  }
  file.flush();
}

struct Opened {
  explicit Opened(const std::filesystem::path& path)
      : file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose) {}
  hsize_t rows(const char* table) const {
    const hdf5::Handle set{H5Dopen2(file.get(), table, H5P_DEFAULT), H5Dclose};
    const hdf5::Handle space{H5Dget_space(set.get()), H5Sclose};
    hsize_t n = 0;
    H5Sget_simple_extent_dims(space.get(), &n, nullptr);
    return n;
  }
  std::uint64_t number(const char* name) const {
    const hdf5::Handle attribute{H5Aopen(file.get(), name, H5P_DEFAULT), H5Aclose};
    std::uint64_t value = 99;
    H5Aread(attribute.get(), H5T_NATIVE_UINT64, &value);
    return value;
  }
  std::vector<std::uint64_t> sequences() const {
    const hdf5::Handle set{H5Dopen2(file.get(), "packets", H5P_DEFAULT), H5Dclose};
    const hdf5::Handle type{H5Tcreate(H5T_COMPOUND, 8), H5Tclose};
    H5Tinsert(type.get(), "sequence", 0, H5T_NATIVE_UINT64);
    std::vector<std::uint64_t> all(rows("packets"));
    EXPECT_GE(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()), 0);
    return all;
  }
  hdf5::Handle file;
};

TEST_F(TraceFileTest, a_finished_run_is_complete_and_holds_every_record) {
  TraceFile trace(world_.identity(), file_);
  write_second(trace, 0, 40'000);
  trace.add_event(Instant{} + 500ms, std::string(400, 'x'));
  trace.finish(0xabcdef, true);
  const Opened read(file_);
  EXPECT_EQ(read.number("complete"), 1u);
  EXPECT_EQ(read.number("partial"), 0u);
  EXPECT_EQ(read.number("digest"), 0xabcdefu);
  EXPECT_EQ(read.number("seed"), 3u);
  EXPECT_EQ(read.rows("paths/b/dsl"), 10u);
  EXPECT_EQ(read.rows("flows/download"), 10u);
  EXPECT_EQ(read.rows("tunnel/a"), 10u);
  EXPECT_EQ(read.rows("events"), 1u);
  const auto sequences = read.sequences();
  ASSERT_EQ(sequences.size(), 40'000u);
  for (std::size_t i = 0; i < sequences.size(); ++i) ASSERT_EQ(sequences[i], i);
}

TEST_F(TraceFileTest, equal_runs_give_equal_files) {
  const auto content_of_a_run = [this] {
    TraceFile trace(world_.identity(), file_);
    for (int second = 0; second < 3; ++second) write_second(trace, second, 20'000);
    trace.finish(5, true);
    std::ifstream in(file_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string first = content_of_a_run();
  sleep(1);  // HDF5's times have seconds
  EXPECT_TRUE(first == content_of_a_run());
}

TEST_F(TraceFileTest, an_interrupted_run_is_partial) {
  TraceFile trace(world_.identity(), file_);
  write_second(trace, 0, 100);
  trace.finish(1, false);
  const Opened read(file_);
  EXPECT_EQ(read.number("complete"), 0u);
  EXPECT_EQ(read.number("partial"), 1u);
  EXPECT_EQ(read.rows("packets"), 100u);
}

TEST_F(TraceFileTest, every_column_has_a_unit_and_a_description) {
  TraceFile(world_.identity(), file_).finish(1, true);
  const Opened read(file_);
  for (const char* table : {"packets", "paths/a/lte", "flows/download", "tunnel/b", "events"}) {
    const hdf5::Handle set{H5Dopen2(read.file.get(), table, H5P_DEFAULT), H5Dclose};
    const hdf5::Handle type{H5Dget_type(set.get()), H5Tclose};
    const int columns = H5Tget_nmembers(type.get());
    ASSERT_GT(columns, 0);
    for (int i = 0; i < columns; ++i) {
      char* name = H5Tget_member_name(type.get(), static_cast<unsigned>(i));
      EXPECT_GT(H5Aexists(set.get(), (std::string(name) + ".unit").c_str()), 0) << name;
      EXPECT_GT(H5Aexists(set.get(), (std::string(name) + ".description").c_str()), 0) << name;
      H5free_memory(name);
    }
  }
}

TEST_F(TraceFileTest, a_killed_writer_leaves_what_it_flushed) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    TraceFile trace(world_.identity(), file_);
    for (int second = 0; second < 3; ++second) write_second(trace, second, 20'000);
    trace.add_packets(End::a, records(50'000));  // on the way when it dies
    if (write(ready[1], "x", 1) != 1) _exit(1);
    pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);

  ASSERT_TRUE(TraceFile::seal(file_));
  const Opened read(file_);
  ASSERT_GE(read.file.get(), 0);
  EXPECT_EQ(read.number("complete"), 0u);
  EXPECT_EQ(read.number("partial"), 1u);
  const auto sequences = read.sequences();
  ASSERT_GE(sequences.size(), 60'000u);
  for (std::size_t i = 0; i < 60'000; ++i) ASSERT_EQ(sequences[i], i % 20'000);
  EXPECT_EQ(read.rows("flows/download"), 30u);
}

TEST_F(TraceFileTest, a_killed_writer_leaves_a_readable_file_at_any_moment) {
  for (const int milliseconds : {20, 45, 70, 110, 160}) {
    SCOPED_TRACE(milliseconds);
    const pid_t child = fork();
    if (child == 0) {
      TraceFile trace(world_.identity(), file_);
      for (int second = 0;; ++second) write_second(trace, second, 5000);
    }
    usleep(static_cast<useconds_t>(milliseconds) * 1000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    if (!TraceFile::seal(file_)) continue;  // killed before the tables were made
    const auto sequences = Opened(file_).sequences();
    for (std::size_t i = 0; i < sequences.size(); ++i) ASSERT_EQ(sequences[i], i % 5000);
  }
}

TEST_F(TraceFileTest, a_full_disk_is_an_error_in_words_and_the_file_does_not_look_complete) {
  const pid_t child = fork();  // the limit is for the child only
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{2 << 20, 2 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      TraceFile trace(world_.identity(), file_);
      for (int second = 0; second < 100; ++second) write_second(trace, second, 20'000);
      trace.finish(1, true);
    } catch (const InputError& error) {
      const std::string text = error.what();
      std::cerr << text << "\n";
      _exit(text.find(": cannot write: File too large") != std::string::npos ? 42 : 43);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 42);
  if (TraceFile::seal(file_)) {
    EXPECT_EQ(Opened(file_).number("complete"), 0u);
  }
}

TEST_F(TraceFileTest, a_place_that_cannot_be_written_is_an_error) {
  EXPECT_THROW(TraceFile(world_.identity(), "/dev/null/trace.h5"), InputError);
}

}  // namespace
}  // namespace sennit
