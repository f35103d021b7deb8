# SPDX-License-Identifier: Apache-2.0
# Language, warnings, hardening and sanitizers, for every target.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
include(CheckPIESupported)
check_pie_supported()

add_compile_definitions(_GNU_SOURCE QSEAL_VERSION="${PROJECT_VERSION}")
include_directories(${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Wmissing-prototypes -Wvla -Wformat=2 -Werror
  -fno-strict-overflow -fno-delete-null-pointer-checks)

if(QSEAL_SANITIZE OR QSEAL_FUZZ)
  add_compile_options(-g -O1 -fno-omit-frame-pointer)
  if(QSEAL_SANITIZE)
    add_compile_options(-fsanitize=${QSEAL_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${QSEAL_SANITIZE})
  endif()
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection=full
    # clang 14 knows the first only behind a flag that it promises to remove, and not the second
    $<$<C_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero> $<$<C_COMPILER_ID:GNU>:-fzero-call-used-regs=used-gpr>)
  # Sources that are compiled without optimisation cannot be fortified.
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen)
endif()
add_link_options(-Wl,--as-needed)
