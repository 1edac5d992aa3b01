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

# finish_steps WHAT: prints the results, the last line is PASS or FAIL, and exits accordingly.
finish_steps() {
	printf '\n== %s, in %d s\n' "$1" "$SECONDS"
	printf '%s\n' "${step_results[@]}"
	if [ "$steps_failed" -ne 0 ]; then
		echo FAIL
		exit 1
	fi
	echo PASS
	exit 0
}
