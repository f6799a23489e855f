#pragma once

#include <cstdint>
#include <string_view>

namespace flock::internal {

/// CRC-32C (Castagnoli), as iSCSI, ext4 and LevelDB use it: finds every run of up to 32 wrong bits. Its polynomial in
/// software needs no library and no special processor; the rate of a disk's commits is far below its own.
///
/// \param before  the checksum of what comes before `data`: crc32c(b, crc32c(a)) is that of a and b together
/// Source: RFC 3720, section 12.1 and appendix B.4
std::uint32_t crc32c(std::string_view data, std::uint32_t before = 0);

}  // namespace flock::internal
