# Sourced by the scripts that run many steps: every step is timed, all of them run even if one fails, and the end says
# what came of each.
# shellcheck shell=bash

step_results=()
steps_failed=0

# step NAME COMMAND…: runs the command and remembers what came of it.
step() {
	local name=$1 begun=$SECONDS result=ok
	shift
	printf '\n== %s\n' "$name"
	"$@" || result=FAIL
	[ "$result" = ok ] || steps_failed=1
	step_results+=("$(printf '%-4s\t%-44s %4d s' "$result" "$name" $((SECONDS - begun)))")
}

# step_table WHAT: what came of the steps until now.
step_table() {
	printf '\n== %s, in %d s\n' "$1" "$SECONDS"
	printf '%s\n' "${step_results[@]}"
}

# begin_last_step WHAT NAME: prints the results until now, so that the output can end with that of the step NAME, which
# the caller runs itself.
begin_last_step() {
	step_table "$1"
	printf '\n== %s\n' "$2"
}

# finish_steps WHAT: prints the results, the last line is PASS or FAIL, and exits accordingly.
finish_steps() {
	step_table "$1"
	if [ "$steps_failed" -ne 0 ]; then
		echo FAIL
		exit 1
	fi
	echo PASS
	exit 0
}
