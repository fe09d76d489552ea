// SPDX-License-Identifier: MIT
#include "tests/surface/player.h"
