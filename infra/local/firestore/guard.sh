# Runs the command it is given for as long as whoever started it holds the other end of standard input.
# The end of that pipe, closed on purpose or by kill -9, kills the command. Nothing is polled, and it works on macOS.
exec 3<&0
"$@" 3<&- </dev/null &
command=$!
(read -r line <&3; kill -9 "$command") 2>/dev/null &
watch=$!
wait "$command"
status=$?
kill "$watch" 2>/dev/null
exit "$status"
