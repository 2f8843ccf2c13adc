# Writes the file that defines programVersion, when what it says has changed. Run at every build and not when
# configuring: a commit does not make CMake run again.
#   cmake -DVERSION=0.1.0 -DSOURCE=... -DOUTPUT=... -P version.cmake
function(git result)
    # the user who builds need not own the sources
    execute_process(COMMAND git -c safe.directory=* -C ${SOURCE} ${ARGN}
        OUTPUT_VARIABLE text RESULT_VARIABLE code OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT code EQUAL 0)
        set(text "")
    endif()
    set(${result} "${text}" PARENT_SCOPE)
endfunction()

# the sources' own repository, not one that happens to lie around them
git(prefix rev-parse --show-prefix)
git(commit rev-parse --short=7 HEAD)
if(commit AND prefix STREQUAL "")
    string(APPEND VERSION "+g${commit}")
    git(changes --no-optional-locks status --porcelain --untracked-files=no)
    if(changes)
        string(APPEND VERSION ".dirty")
    endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "app/control/version.h"

namespace arbor {

const char* const programVersion = "@VERSION@";

} // namespace arbor
]] @ONLY)
