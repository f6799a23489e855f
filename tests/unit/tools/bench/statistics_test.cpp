#include "tools/bench/statistics.hpp"

#include <doctest/doctest.h>

#include <vector>

using flock::bench::growth_exponent;
using flock::bench::percentile;
using flock::bench::rounded;
using flock::bench::spread;
using flock::bench::spread_of;

TEST_CASE("a percentile is a sample, that of the nearest rank") {
  std::vector<double> few{35, 20, 15, 50, 40};

  CHECK(percentile(few, 5) == 15);
  CHECK(percentile(few, 30) == 20);
  CHECK(percentile(few, 40) == 20);
  CHECK(percentile(few, 50) == 35);
  CHECK(percentile(few, 100) == 50);
}

TEST_CASE("the last of a thousand samples is beyond their 99.9th percentile") {
  std::vector<double> thousand;
  for (int i = 1000; i > 0; --i) thousand.push_back(i);

  CHECK(percentile(thousand, 99) == 990);
  CHECK(percentile(thousand, 99.9) == 999);
}

TEST_CASE("a single sample is every percentile") {
  std::vector<double> one{7};

  CHECK(percentile(one, 0.1) == 7);
  CHECK(percentile(one, 99.9) == 7);
}

TEST_CASE("the median of repeats does not mind one that was disturbed") {
  CHECK(spread_of({3, 900, 2, 4, 1}) == spread{3, 1, 900});
}

TEST_CASE("the median of an even number of repeats lies between the two in the middle") {
  CHECK(spread_of({4, 1, 2, 8}) == spread{3, 1, 8});
}

TEST_CASE("growth is told apart: none, linear, quadratic") {
  CHECK(growth_exponent(100, 5, 1000, 5) == doctest::Approx(0));
  CHECK(growth_exponent(100, 5, 1000, 50) == doctest::Approx(1));
  CHECK(growth_exponent(100, 5, 1000, 500) == doctest::Approx(2));
}

TEST_CASE("numbers are rounded to five digits, whatever their size") {
  CHECK(rounded(123456.7) == doctest::Approx(123460).epsilon(1e-9));
  CHECK(rounded(0.0012345678) == doctest::Approx(0.0012346).epsilon(1e-9));
  CHECK(rounded(-1.000004) == doctest::Approx(-1).epsilon(1e-9));
  CHECK(rounded(0) == 0);
}
