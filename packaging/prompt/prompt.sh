# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # JIT_PROMPT is for who sources this
# For bash and dash: how long the grant lasts that this shell runs by, for its prompt; nothing where it runs by none.
#
#   bash:  . /usr/share/jit-sudo/prompt.sh
#          PROMPT_COMMAND="jit_prompt${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
#          PS1='${JIT_PROMPT-}'$PS1
#   dash:  . /usr/share/jit-sudo/prompt.sh
#          PS1='$(jit_prompt; printf %s "$JIT_PROMPT")$ '
#
# It believes JIT_GRANT and JIT_EXPIRES, which jit-sudo and pam_jit set and the shell's owner may change: it only shows.
# An extension doesn't change them; who lives past that time was given more.

# Sets JIT_PROMPT to "[7f3a 58m] ", or to nothing. Its status is the last command's. In bash it starts no process.
jit_prompt() {
    jit_prompt_status=$?
    JIT_PROMPT=
    case ${JIT_GRANT:-} in
    '' | *[!0-9a-f]*) return "$jit_prompt_status" ;;
    esac
    case ${JIT_EXPIRES:-} in
    '' | *[!0-9]* | 0* | ????????????*) return "$jit_prompt_status" ;;
    esac
    if [ -n "${BASH_VERSION:-}" ]; then
        # shellcheck disable=SC3045 # in bash it can
        printf -v jit_prompt_left '%(%s)T' -1
    else
        jit_prompt_left=$(date +%s)
    fi
    jit_prompt_left=$((JIT_EXPIRES - jit_prompt_left))
    if [ "$jit_prompt_left" -ge 7200 ]; then
        JIT_PROMPT="[$JIT_GRANT $((jit_prompt_left / 3600))h] "
    elif [ "$jit_prompt_left" -ge 60 ]; then
        JIT_PROMPT="[$JIT_GRANT $((jit_prompt_left / 60))m] "
    elif [ "$jit_prompt_left" -gt 0 ]; then
        JIT_PROMPT="[$JIT_GRANT ${jit_prompt_left}s] "
    else
        JIT_PROMPT="[$JIT_GRANT extended] "
    fi
    return "$jit_prompt_status"
}
