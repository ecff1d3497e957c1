// Package keys knows who may use the gateway: API keys from a file of hashes.
//
//	secret.go      where a request carries its secret, and how one is made
//	key.go         Key: what its holder may do
//	doors.go       Doors: who may come in, and to what part
//	undeclared.go  keys for models that are not there
//	ring.go        Ring: the keys of one version of the file, found by secret; File: the ring in force
//	parse.go       the file, strict: every fault at once
//	edit.go        add a key to the text of a file, or take one out
//
// The file is YAML when its name says so, and JSON with comments otherwise:
//
//	keys:
//	  - id: team-search                  # shown in logs, never secret
//	    hash: sha256:9c41…               # of the secret
//	    scopes: [inference]              # inference (the default) and admin: /api/llm
//	    models: [llama, mock-llm]        # ids or aliases; all without it
//	    priority: 10                     # -1000 to 1000, 0 without it; higher waits less
//	    requests_per_minute: 600         # no limit without it, and so the next two
//	    tokens_per_minute: 100000
//	    concurrent_requests: 20
//	    keep_alive: true                 # streams hear comments while they wait
//	    expires: 2027-01-31T00:00:00Z    # RFC 3339
//	    disabled: true
//
// # Why a plain SHA-256
//
// Passwords need a slow, salted hash because people choose them and the likely ones can be tried. These secrets are 256 random
// bits: there is nothing to try, however fast the hash, and no two are alike, so a salt would separate nothing. A slow hash would
// only make each request slow, and let anybody spend the gateway's time with wrong secrets. It follows that a secret of
// another make has to be as random; a word that somebody chose must never be hashed like this.
//
// # Why looking a hash up in a map tells nothing
//
// How long a look-up takes can depend on how much of the presented hash is like a stored one. But who presents a secret cannot
// choose its hash: to learn a stored hash byte by byte one would have to find inputs whose SHA-256 begins with given bytes,
// and knowing the whole hash would still not give the secret.
package keys
