#include "tools/bench/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

namespace flock::bench {

double percentile(std::vector<double>& samples, double percent) {
  assert(!samples.empty() && percent > 0 && percent <= 100);
  std::sort(samples.begin(), samples.end());
  const auto size = static_cast<double>(samples.size());
  // 99.9 % of 1000 are 999.0000000000001 in floating point, which must not become the next rank.
  const auto rank = static_cast<std::size_t>(std::ceil(size * percent / 100 - 1e-9));
  return samples[std::max<std::size_t>(rank, 1) - 1];
}

spread spread_of(std::vector<double> repeats) {
  assert(!repeats.empty());
  std::sort(repeats.begin(), repeats.end());
  const auto middle = repeats.size() / 2;
  const double median = repeats.size() % 2 == 1 ? repeats[middle] : (repeats[middle - 1] + repeats[middle]) / 2;
  return {median, repeats.front(), repeats.back()};
}

double growth_exponent(double size, double cost, double larger_size, double its_cost) {
  return std::log(its_cost / cost) / std::log(larger_size / size);
}

double rounded(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  constexpr int digits = 5;
  const double scale = std::pow(10.0, digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(x)))));
  return std::round(x * scale) / scale;
}

}  // namespace flock::bench
