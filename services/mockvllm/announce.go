package mockvllm

import (
	"net"
	"strings"
)

// announce prints the milestones that programs wait for.
func (s *Server) announce(addr net.Addr) {
	s.prepared()
	s.console.Info("entry.py:140", "Starting vLLM server on http://%s", shownAddr(s.cfg.Host, addr))
	s.console.Info("launcher.py:186", "Available routes are:")
	for _, rt := range s.routes() {
		s.console.Info("launcher.py:195", "Route: %s, Methods: %s", rt.Path, rt.Methods)
	}
	s.console.Line("INFO:     Started server process [%d]", s.console.PID)
	s.console.Line("INFO:     Waiting for application startup.")
	s.console.Line("INFO:     Application startup complete.")
}

// prepared tells what vLLM tells once its engine is there.
func (s *Server) prepared() {
	c := s.console
	task := s.cfg.Pooling.Task()
	if task == "" {
		c.Info("entry.py:136", "Supported tasks: ['generate']")
	} else {
		c.Info("entry.py:136", "Supported tasks: ['token_%s', '%s']", task, task)
	}
	if s.cfg.LoRA.Runtime {
		c.Warn("api_router.py:33", "LoRA dynamic loading & unloading is enabled in the API server. This should ONLY be used for local development!")
	}
	if s.cfg.Routes.Dev {
		c.Warn("__init__.py:44", "SECURITY WARNING: Development endpoints are enabled! This should NOT be used in production!")
	}
	if task == "" && !s.cfg.Routes.ScaleOut && !s.cfg.Routes.TokensOnly {
		c.Info("factories.py:89", "Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them.")
	}
	for _, a := range s.cfg.LoRA.Modules {
		c.Info("serving.py:226", "Loaded new LoRA adapter: name '%s', path '%s'", a.Name, a.Path)
	}
	if s.cfg.AutoTools {
		c.Info("parser_manager.py:38", `"auto" tool choice has been enabled.`)
	}
	c.Info("hf.py:648", "Detected the chat template content format to be '%s'. You can set `--chat-template-content-format` to override this.",
		s.model.Templates.Default.Format())
}

// shownAddr is an address as vLLM shows it: all interfaces are those of IPv4.
func shownAddr(host string, addr net.Addr) string {
	if host == "" {
		return strings.Replace(addr.String(), "[::]", "0.0.0.0", 1)
	}
	return addr.String()
}
