# The deepest stack below a function, in bytes, from the call graphs of gcc -fcallgraph-info=su:
#
#	awk -v of=main -v signers='src/key.c:sign_ed25519' [-v trail=1] -f stack.awk *.ci
#
# signers are the kinds of key in the program; trail shows the way down. Functions of the C library are not in the graphs and count as 0.
# A cycle is an error: nothing here may recurse.

BEGIN { p256 = "third_party/bearssl/src/ec/ec_p256_m15.c:" }

/^node:/ {
	split($0, part, "\"")
	name = part[2]
	if (match(part[4], /[0-9]+ bytes \([a-z,]+\)/)) {
		split(substr(part[4], RSTART, RLENGTH), size, " ")
		own[name] = size[1]
		if (part[4] ~ /dynamic/ && part[4] !~ /bounded/) {
			print name " has a stack without bound" > "/dev/stderr"
			failed = 1
		}
	}
}

/^edge:/ {
	split($0, part, "\"")
	calls[part[2]] = calls[part[2]] "\n" part[4]
}

# Where the calls through pointers of a function lead. The driver of a secure element is the caller's.
function behind(name) {
	if (name ~ /hmac/)
		return "br_sha256_init br_sha224_update br_sha256_out br_sha224_state br_sha224_set_state"
	if (name ~ /ecdsa|du_p256/)
		return p256 "api_mul " p256 "api_mulgen " p256 "api_muladd"
	if (name == "dure_reading_sign")
		return signers
	if (name !~ /sign_element/) {
		print name " calls through a pointer, to nobody knows where" > "/dev/stderr"
		failed = 1
	}
	return ""
}

function deepest(name,    names, n, i, list, most) {
	if (name in depth)
		return depth[name]
	if (name in open) {
		print name " recurses" > "/dev/stderr"
		failed = 1
		return 0
	}
	if (name ~ /^third_party|^src|^br_|^du_/ && !(name in own)) {
		print name " is in no graph" > "/dev/stderr"
		failed = 1
	}
	open[name] = 1
	list = calls[name]
	if (list ~ /__indirect_call/)
		list = list " " behind(name)
	n = split(list, names, /[ \n]+/)
	most = 0
	for (i = 1; i <= n; i++) {
		if (names[i] != "" && names[i] != "__indirect_call" && deepest(names[i]) > most) {
			most = depth[names[i]]
			next_of[name] = names[i]
		}
	}
	delete open[name]
	return depth[name] = own[name] + most
}

END {
	printf "%d", deepest(of)
	if (trail) {
		for (name = of; name != ""; name = next_of[name])
			printf "\n  %6d %s", own[name], name
	}
	print ""
	exit failed
}
