package head

// order is where a header stands in an answer of vLLM. Those without a place come first, as the ones that a handler adds do there:
// allow, endpoint-load-metrics, retry-after.
func order(name, value string, preflight bool) int {
	if preflight {
		switch name {
		case "Vary":
			return 1
		case "Access-Control-Allow-Methods":
			return 3
		case "Access-Control-Max-Age":
			return 4
		case "Access-Control-Allow-Origin":
			if value == "*" { // for all; else for this one, which is added to what all get
				return 2
			}
			return 5
		case "Access-Control-Allow-Headers":
			return 6
		case "Content-Length":
			return 7
		case "Content-Type":
			return 8
		case "X-Request-Id":
			return 9
		}
		return 0
	}
	switch name {
	case "Content-Length":
		return 1
	case "Location":
		return 2
	case "Content-Type":
		return 3
	case "Content-Encoding":
		return 4
	case "Access-Control-Allow-Origin":
		return 5
	case "Vary":
		return 6
	case "X-Request-Id":
		return 7
	case "Connection":
		return 8
	}
	return 0
}
