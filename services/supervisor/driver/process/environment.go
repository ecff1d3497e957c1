package process

import (
	"slices"
	"strings"
)

// What a server inherits. It runs code that came with a model and prints what it likes into a log, and the environment of a
// supervisor holds what is none of its business: tokens of the services, passwords of a pipeline, the addresses that Kubernetes
// gives for every service. So only what model servers are known to read is passed on; all else has to stand in the models file.
var (
	inherited = []string{
		// the user and the place
		"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TEMP", "TMP", "TMPDIR", "TZ", "USER",
		// the way out, and whom to trust there
		"ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "all_proxy", "https_proxy", "http_proxy", "no_proxy",
		"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE",
		// programs and libraries
		"LD_LIBRARY_PATH", "LD_PRELOAD", "VIRTUAL_ENV",
		// no usage reports
		"DO_NOT_TRACK",
		// of Go's runtime, for mockvllm
		"GOCOVERDIR", "GODEBUG", "GORACE", "GOTRACEBACK",
	}
	inheritedPrefixes = []string{
		"LC_", "XDG_", "PYTHON", "CONDA_",
		// accelerators and what connects them
		"CUDA_", "CUDNN_", "NCCL_", "NVIDIA_", "AMD_", "HIP_", "HSA_", "RCCL_", "ROCM_", "ROCR_", "ONEAPI_", "ZE_", "TPU_",
		"GLOO_", "UCX_",
		// vLLM and the libraries below it; HF_TOKEN is how gated models are had
		"VLLM_", "FLASHINFER_", "HF_", "HUGGINGFACE_", "KMP_", "LMCACHE_", "MKL_", "OMP_", "OPENBLAS_", "PYTORCH_", "RAY_", "SAFETENSORS_",
		"TOKENIZERS_", "TORCH", "TRANSFORMERS_", "TRITON_",
		"MOCKVLLM_",
	}
)

// environment is what a server inherits, and then its own.
func environment(all, own []string) []string {
	env := make([]string, 0, len(own))
	for _, v := range all {
		name, _, _ := strings.Cut(v, "=")
		if slices.Contains(inherited, name) || slices.ContainsFunc(inheritedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			env = append(env, v)
		}
	}
	return append(env, own...)
}
