#pragma once

#include <vector>

namespace flock::bench {

/// The smallest of the samples that at least `percent` of them do not exceed: the nearest rank, so always a value that
/// was measured. Puts the samples, of which there is at least one, in order.
/// \param percent  above 0, at most 100
double percentile(std::vector<double>& samples, double percent);

/// Of the repeats of one measurement. There are few of them, and a mean would hide that one was disturbed.
struct spread {
  double median = 0;
  double min = 0;
  double max = 0;

  friend bool operator==(const spread&, const spread&) = default;
};

/// Of at least one. The median of an even number is the mean of the two in the middle.
spread spread_of(std::vector<double> repeats);

/// How a cost grows from one size to another: the b of cost = a * size^b. 0 not at all, 1 linear, 2 quadratic. All
/// above 0.
double growth_exponent(double size, double cost, double larger_size, double its_cost);

/// For people: five digits are more than a measurement is worth.
double rounded(double x);

}  // namespace flock::bench
