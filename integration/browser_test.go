package integration

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a tab of a real browser. What its pages complain about, or ask of anybody but the stack, fails the test.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func openBrowser(t *testing.T, s *stack) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		missing(t, "FLUIDMCP_REQUIRE_BROWSER", "no Chromium is installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(2*time.Minute), // a busy machine starts a browser slowly
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.DisableGPU)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	home, err := url.Parse(s.gateway)
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page threw %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" {
				t.Errorf("the page's console says %s: %v", e.Type, e.Args)
			}
		case *cdpnetwork.EventRequestWillBeSent:
			if to, err := url.Parse(e.Request.URL); err != nil || to.Host != home.Host && strings.HasPrefix(to.Scheme, "http") {
				t.Errorf("the page asks %s", e.Request.URL)
			}
		}
	}); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	return &browser{t, ctx}
}

func (b *browser) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// sees waits until an element holds a text. The selector is CSS.
func (b *browser) sees(selector, text string) {
	b.t.Helper()
	found := chromedp.PollFunction[bool](
		`(selector, text) => [...document.querySelectorAll(selector)].some((e) => e.textContent.includes(text))`,
		chromedp.WithPollingArgs(selector, text), chromedp.WithPollingTimeout(time.Minute))
	if _, err := chromedp.Run(b.ctx, found); err != nil {
		page, _ := chromedp.Run(b.ctx, chromedp.Text("body")) // it only helps to understand the failure
		b.t.Fatalf("no %q in %s: %v\n%s", text, selector, err, page)
	}
}

// click clicks an element as soon as it can be used. It does so in the page: a place on the screen may be somebody else's by the time of the
// click, since the page changes by itself. The selector is CSS, or an XPath.
func (b *browser) click(selector string) {
	b.t.Helper()
	clicked := chromedp.PollFunction[bool](`(selector) => {
			const element = selector.startsWith("//")
				? document.evaluate(selector, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue
				: document.querySelector(selector);
			if (!element?.checkVisibility() || element.disabled) return false;
			element.click();
			return true;
		}`, chromedp.WithPollingArgs(selector), chromedp.WithPollingTimeout(time.Minute))
	if _, err := chromedp.Run(b.ctx, clicked); err != nil {
		b.t.Fatalf("click %s: %v", selector, err)
	}
}

// button is the XPath of a model's button in the console.
func button(model, action string) string {
	return `//tr[td[1]="` + model + `"]//button[.="` + action + `"]`
}

// consoleInBrowser uses the page as a person does: looks at the models, stops and starts one, chats, and reads a log.
func consoleInBrowser(t *testing.T, s *stack) {
	b := openBrowser(t, s)
	b.do("open the page", chromedp.Navigate(s.gateway+"/"))
	for _, model := range []string{mockLLM, mockGPT, mockLlama, slashed, impatient, pair} {
		b.sees("#models td:first-child", model)
	}
	b.click(button(slashed, "stop"))
	b.sees("#models td.stopped", "stopped")
	s.waitPhase(t, slashed, "stopped")
	b.click(button(slashed, "start"))
	s.waitPhase(t, slashed, "ready")

	b.do("chat", chromedp.SetValue("#model", mockLLM), chromedp.SendKeys("#prompt", "Hello, how are you?"))
	b.click("#chat [type=submit]")
	b.sees("#answer", helloAnswer)
	b.do("the end", chromedp.WaitVisible("#stop:disabled"))
	b.sees("#pace", "first token after")
	b.click(button(mockLLM, "logs"))
	b.sees("#lines", "POST /v1/chat/completions")
	b.click("#logs-close")
	b.do("enough of it", chromedp.WaitNotVisible("#lines"))

	s.stalls(t, mockGPT)
	b.do("ask a slow one", chromedp.SetValue("#model", mockGPT))
	b.click("#chat [type=submit]")
	b.sees("#answer", "Mock")
	s.kill(t, mockGPT)
	b.sees("#answer", "incomplete")
	s.revive(t, mockGPT)
	eventually(t, func() error { return s.ask(t, mockGPT) })
}

// referenceInBrowser reads the API reference as a person does: follows a link to an operation, sends its example, and looks for another.
func referenceInBrowser(t *testing.T, s *stack) {
	b := openBrowser(t, s)
	b.do("open the page", chromedp.Navigate(s.gateway+"/docs#/Chat%20and%20text/chatWithModel"))
	b.sees(".opblock-summary-path", "/v1/chat/completions")
	b.sees(".parameters", "Id of a model in the models file")
	b.click(".try-out__btn")
	b.click(".btn.execute")
	b.sees(".live-responses-table", helloAnswer)

	b.do("search", chromedp.SendKeys(".operation-filter-input", "stop a model"))
	b.sees(".opblock-summary-path", "/stop")
	b.do("the end of the others", chromedp.WaitNotPresent(`//*[@data-path="/v1/chat/completions"]`))
}

// TestConsoleAsksForAKey: where the gateway has keys the page asks for one, and offers what that key is for.
func TestConsoleAsksForAKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys.yaml")
	made := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), fluidmcp(t), append([]string{"keys", "new", "--file", file}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	user, boss := made("--id", "user"), made("--id", "boss", "--scope", "inference,admin")
	ports := freePorts(t, 3)
	models := modelsFile(t, map[string]any{
		"away": map[string]any{"endpoints": map[string]any{"base_url": "http://127.0.0.1:1"}}, // the first by name, and nobody is there
		mockLLM: map[string]any{"command": "mockvllm",
			"args": []string{"serve", "mock-model", "--port", strconv.Itoa(ports[2]), "--reasoning-parser", "qwen3"}},
	})
	launch(t, "run", models, "--start-server", "--keys", file, "--port", strconv.Itoa(ports[0]), "--supervisor-port", strconv.Itoa(ports[1]))
	s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
	eventually(t, func() error {
		a, err := send(t, "GET", s.gateway+"/health", nil)
		if err == nil && !strings.Contains(string(a.body), `"ready":1`) {
			err = fmt.Errorf("no model is ready: %s", a.body)
		}
		return err
	})
	b := openBrowser(t, s)
	enter := func(key string) {
		t.Helper()
		b.do("enter the key", chromedp.WaitVisible("#key"), chromedp.SendKeys("#key", key))
		b.click("#login [type=submit]")
	}
	b.do("open the page", chromedp.Navigate(s.gateway+"/ui/"))
	b.sees("#notice", "no API key")
	enter("wrong")
	b.sees("#notice", "not known")
	enter(user)
	b.sees("#notice", "not for managing")
	b.sees("#model option", mockLLM)
	b.do("chat", chromedp.SendKeys("#prompt", "Hello, how are you?"))
	b.click("#chat [type=submit]")
	b.sees("#answer", helloAnswer)
	b.sees("#thought", "Hello, how are you?") // what it thought before
	enter(boss)
	b.sees("#models td:first-child", mockLLM)
	b.do("no more question", chromedp.WaitNotVisible("#key"))
}
