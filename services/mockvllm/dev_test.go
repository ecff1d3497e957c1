package mockvllm_test

import "testing"

func queryError(kind, name, rest string) string {
	return `{"error":{"message":"1 validation error:\n  {'type': '` + kind + `', 'loc': 'query.` + name + `', 'msg': ` + rest + `}","type":"Bad Request","param":"query.` + name + `","code":400}}`
}

// The answers are those of vLLM 0.32.
func TestSleepAndPause(t *testing.T) {
	s := startIn(t, map[string]string{"VLLM_SERVER_DEV_MODE": "1"})
	f := s.asks()
	const sleeping, awake = `{"is_sleeping":true}`, `{"is_sleeping":false}`
	f("GET", "/is_sleeping", "", 200, awake)
	f("POST", "/sleep?level=0", "", 200, `{"status":"sleeping","level":0}`)
	f("GET", "/is_sleeping", "", 200, sleeping)
	f("GET", "/is_paused", "", 200, `{"is_paused":true}`)
	f("POST", "/wake_up?tags=scheduling", "", 200, `{"status":"awake","tags":["scheduling"]}`)
	f("GET", "/is_sleeping", "", 200, awake)
	f("POST", "/sleep?level=1.0&mode=keep", "", 200, `{"status":"sleeping","level":1}`)
	f("POST", "/sleep?level=1&level=2", "", 200, `{"status":"sleeping","level":2}`)
	f("POST", "/wake_up?tags=weights", "", 200, `{"status":"sleeping","tags":["weights"]}`)
	f("POST", "/wake_up?tags=kv_cache&tags=foo", "", 200, `{"status":"sleeping","tags":["kv_cache","foo"]}`)
	f("GET", "/health", "", 200, "")
	f("POST", "/wake_up?tags=kv_cache", "", 200, `{"status":"awake","tags":["kv_cache"]}`)
	f("GET", "/is_sleeping", "", 200, awake)
	f("POST", "/pause?mode=keep&clear_cache=no", "", 200, `{"status":"paused"}`)
	f("GET", "/is_sleeping", "", 200, sleeping)
	f("POST", "/release_kv_cache_memory", "", 200, `{"status":"kv_cache_released"}`)
	f("POST", "/release_kv_cache_memory", "", 500, `{"error":{"message":"Call to release_kv_cache_memory method failed: release_kv_cache_memory() requires all executor memory to be resident","type":"InternalServerError","param":null,"code":500}}`)
	f("POST", "/wake_up", "", 200, `{"status":"awake","tags":null}`)
	f("POST", "/release_kv_cache_memory", "", 500, `{"error":{"message":"Call to release_kv_cache_memory method failed: release_kv_cache_memory() requires a completed pause first","type":"InternalServerError","param":null,"code":500}}`)
	f("POST", "/resume", "", 200, `{"status":"resumed"}`)
	f("GET", "/is_paused", "", 200, `{"is_paused":false}`)
	for operation, want := range map[string]string{"sleep": "3", "wake": "5", "release_kv_cache_memory": "3"} {
		if got := s.metric(`vllm:sleep_mode_operation_duration_seconds_count{operation="` + operation + `"}`); got != want {
			t.Errorf("%s: %s operations", operation, got)
		}
	}

	f("POST", "/sleep?level=", "", 400, queryError("int_parsing", "level", "'Input should be a valid integer, unable to parse string as an integer', 'input': ''"))
	f("POST", "/sleep?level=-1", "", 400, queryError("greater_than_equal", "level", "'Input should be greater than or equal to 0', 'input': '-1', 'ctx': {'ge': 0}"))
	f("POST", "/sleep?level=9", "", 400, queryError("less_than_equal", "level", "'Input should be less than or equal to 2', 'input': '9', 'ctx': {'le': 2}"))
	f("POST", "/pause?mode=zzz", "", 400, queryError("literal_error", "mode", `\"Input should be 'abort', 'wait' or 'keep'\", 'input': 'zzz', 'ctx': {'expected': \"'abort', 'wait' or 'keep'\"}`))
	f("POST", "/pause?clear_cache=x", "", 400, queryError("bool_parsing", "clear_cache", "'Input should be a valid boolean, unable to interpret input', 'input': 'x'"))
	f("POST", "/sleep?level=x&mode=y", "", 400, `{"error":{"message":"2 validation errors:\n  {'type': 'int_parsing',...`)
	f("GET", "/sleep", "", 405, `{"detail":"Method Not Allowed"}`)
}

func TestDevRoutes(t *testing.T) {
	s := startIn(t, map[string]string{"VLLM_SERVER_DEV_MODE": "1"}, "m", "-tp", "2", "-dp", "3")
	f := s.asks()
	bad := func(message string) string {
		return `{"error":{"message":"` + message + `","type":"Bad Request","param":null,"code":400}}`
	}
	schema := func(kind, name, rest string) string {
		return `{"error":{"message":"1 validation error:\n  {'type': '` + kind + `', 'loc': 'body.` + name + `', 'msg': ` + rest + `}","type":"Bad Request","param":"body.` + name + `","code":400}}`
	}
	f("POST", "/reset_prefix_cache?reset_running_requests=yes&reset_external=1", "", 200, `{"success":true}`)
	f("POST", "/reset_prefix_cache?reset_external=maybe", "", 400, queryError("bool_parsing", "reset_external", "'Input should be a valid boolean, unable to interpret input', 'input': 'maybe'"))
	f("POST", "/reset_mm_cache", "{x", 200, "")
	f("POST", "/collective_rpc", "{x", 400, bad("JSON decode error: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"))
	f("POST", "/collective_rpc", "", 400, bad("JSON decode error: Expecting value: line 1 column 1 (char 0)"))
	f("POST", "/collective_rpc", "[]", 400, bad("Request body must be a JSON object"))
	f("POST", "/collective_rpc", "{}", 400, bad("Missing 'method' in request body"))
	f("POST", "/collective_rpc", `{"method":"check_health"}`, 200, `{"results":[null]}`)
	f("POST", "/collective_rpc", `{"method":"nope"}`, 500, `{"error":{"message":"Call to collective_rpc method failed: Worker failed with error ''CPUWorker' object has no attribute 'nope'',...`)
	f("POST", "/abort_requests", "", 400, bad("Invalid JSON format"))
	f("POST", "/abort_requests", "[]", 400, bad("Request body must be a JSON object"))
	f("POST", "/abort_requests", "{}", 200, `{"status":"aborted","aborted":0}`)
	f("POST", "/abort_requests", `{"request_ids":["a","b"]}`, 200, `{"status":"aborted","aborted":2}`)
	f("POST", "/abort_requests", `{"request_ids":"abc"}`, 200, `{"status":"aborted","aborted":3}`)
	f("POST", "/abort_requests", `{"request_ids":5}`, 500, `{"error":"Failed to abort requests: 'int' object is not iterable"}`)
	f("GET", "/get_world_size", "", 200, `{"world_size":6}`)
	f("GET", "/get_world_size?include_dp=false", "", 200, `{"world_size":2}`)
	f("GET", "/weight_info", "", 200, `{"weight_version":"default"}`)
	f("POST", "/update_weight_version", `{"new_version":"v2"}`, 200, `{"success":true,"new_version":"v2"}`)
	f("POST", "/update_weight_version", `{}`, 400, schema("missing", "new_version", "'Field required', 'input': 'None'"))
	f("POST", "/update_weight_version", `{"new_version":5}`, 400, schema("string_type", "new_version", "'Input should be a valid string', 'input': '5'"))
	f("GET", "/weight_info", "", 200, `{"weight_version":"v2"}`)
	f("POST", "/update_weights", `{"update_info":null}`, 400, schema("missing", "update_info", "'Field required', 'input': 'None'"))
	f("POST", "/init_weight_transfer_engine", `{"init_info":5}`, 400, schema("dict_type", "init_info", "'Input should be a valid dictionary', 'input': '5'"))
	f("POST", "/collective_rpc", `{"method":"nope","timeout":"x"}`, 500, `{"error":{"message":"Call to collective_rpc method failed: unsupported operand type(s) for +: 'float' and 'str'","type":"InternalServerError","param":null,"code":500}}`)
	f("POST", "/start_weight_update", "", 500, `{"error":{"message":"Call to collective_rpc method failed: Worker failed with error 'Weight transfer not configured. Please set weight_transfer_config to enable weight transfer.',...`)
	f("POST", "/shutdown_weight_transfer_engine", "", 200, `{"message":"Weight transfer shut down"}`)
	for _, operation := range []string{"start", "shutdown"} {
		s.waitMetric(`vllm:rl_weight_update_operation_duration_seconds_count{operation="`+operation+`"}`, "1")
	}
	f("POST", "/weight_checker", `{"action":"foo"}`, 400, schema("literal_error", "action", `\"Input should be 'checksum', 'reset' or 'compare'\", 'input': 'foo', 'ctx': {'expected': \"'checksum', 'reset' or 'compare'\"}`))
	f("POST", "/weight_checker", `{"action":"compare"}`, 400, bad("action='compare' requires a 'baseline' object"))
	f("POST", "/weight_checker", `{"action":"reset"}`, 200, `{"status":"reset"}`)
	f("POST", "/weight_checker", `{"action":"compare","baseline":{"w":"1"}}`, 200, `{"match":false,"mismatches":["w"]}`)
	f("GET", "/server_info", "", 200, `{"vllm_config":"model='m', speculative_config=None, ...`)
	f("GET", "/server_info?config_format=json", "", 200, `{"vllm_config":{"model_config":{"model":"m",...`)
	f("GET", "/server_info?config_format=xml", "", 400, queryError("literal_error", "config_format", `\"Input should be 'text' or 'json'\", 'input': 'xml', 'ctx': {'expected': \"'text' or 'json'\"}`))
}
