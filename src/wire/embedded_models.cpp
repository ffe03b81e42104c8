#include "wire/embedded_models.h"

#include <zstd.h>

// VOUCH_MODELS_FILE is set by the build: the compressed text.
asm(".section .rodata\n"
    ".balign 16\n"
    "vouch_models_begin:\n"
    ".incbin \"" VOUCH_MODELS_FILE
    "\"\n"
    "vouch_models_end:\n"
    ".byte 0\n"
    ".previous\n");

extern const char models_begin[] asm("vouch_models_begin");
extern const char models_end[] asm("vouch_models_end");

namespace vouch::wire {

Result<std::string> embedded_models() {
  const auto packed = static_cast<std::size_t>(models_end - models_begin);
  const auto size = ZSTD_getFrameContentSize(models_begin, packed);
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > (1U << 30))
    return fail(Errc::corrupt, "the service models in this binary are damaged");
  std::string text(size, '\0');
  const auto got = ZSTD_decompress(text.data(), text.size(), models_begin, packed);
  if (ZSTD_isError(got) || got != size) return fail(Errc::corrupt, "the service models in this binary are damaged");
  return text;
}

}  // namespace vouch::wire
