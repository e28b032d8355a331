/* Rust's standard library takes its random numbers on Windows from ProcessPrng of
 * bcryptprimitives.dll and does not start without it; Wine 8 has no such library.
 * RtlGenRandom, exported by advapi32 as SystemFunction036, has the same promise. Each call takes a
 * length of 32 bits, which is plenty for a seed. For tests only. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(void *buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(unsigned char *buffer, size_t length) {
    return length <= 0xFFFFFFFF && SystemFunction036(buffer, (ULONG)length);
}
