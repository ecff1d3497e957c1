// Package repository tests what a visitor of the repository relies on: links lead somewhere, the workflows are sound and
// check what .ci/run checks, and make tells what it can do and builds.
package repository

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// tracked lists the repository's own files that match a pattern of git.
func tracked(t *testing.T, pattern string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", pattern)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	files := strings.Fields(string(out))
	if len(files) == 0 {
		t.Fatalf("no file matches %s", pattern)
	}
	return files
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var (
	fence    = regexp.MustCompile("(?ms)^```.*?^```$")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	explicit = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	dropped  = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
)

// anchors are the fragments that GitHub gives to the headings of a document.
func anchors(markdown string) map[string]bool {
	found := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(markdown, ""), -1) {
		slug := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(h[1])), "")
		found[strings.ReplaceAll(slug, " ", "-")] = true
	}
	for _, a := range explicit.FindAllStringSubmatch(markdown, -1) {
		found[a[1]] = true
	}
	return found
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, doc := range tracked(t, "*.md") {
		markdown := read(t, doc)
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(markdown, ""), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue // the internet is not ours to test
			}
			path, text := doc, markdown
			if target != "" {
				path = filepath.Join(filepath.Dir(doc), target)
				if _, err := os.Stat(filepath.Join(root, path)); err != nil {
					t.Errorf("%s links to %s, which is not there", doc, m[1])
					continue
				}
			}
			if fragment == "" || filepath.Ext(path) != ".md" {
				continue
			}
			if path != doc {
				text = read(t, path)
			}
			if !anchors(text)[fragment] {
				t.Errorf("%s links to %s, but %s has no such heading", doc, m[1], path)
			}
		}
	}
}

func TestWorkflows(t *testing.T) {
	actionlint, err := exec.CommandContext(t.Context(), root+"/scripts/tools.sh", "actionlint").Output()
	if err != nil {
		t.Fatalf("scripts/tools.sh actionlint: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), strings.TrimSpace(string(actionlint)))
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
	if ci := read(t, ".github/workflows/ci.yml"); !regexp.MustCompile(`(?m)^ +- run: .*\.ci/run$`).MatchString(ci) {
		t.Error("no step of the workflow runs .ci/run")
	}
}

func TestMakeHelpListsEveryTarget(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "help")
	cmd.Dir = root
	help, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make help: %v\n%s", err, help)
	}
	phony := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindAllStringSubmatch(read(t, "Makefile"), -1)
	if len(phony) == 0 {
		t.Fatal("the Makefile declares no .PHONY targets")
	}
	for _, line := range phony {
		for _, target := range strings.Fields(line[1]) {
			file := strings.Contains(target, "/") // built for other targets, not by people
			if !file && !bytes.Contains(help, []byte("make "+target+" ")) {
				t.Errorf("make help does not mention %s:\n%s", target, help)
			}
		}
	}
}

// TestMakeBuildsEveryProgram has go say what it would do.
func TestMakeBuildsEveryProgram(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "make", "build")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	var programs []string
	for _, pattern := range []string{"cmd/*", "services/*/cmd/*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		programs = append(programs, found...)
	}
	for _, program := range programs {
		if name := filepath.Base(program); !regexp.MustCompile(`(?m) bin/` + name + `$`).Match(out) {
			t.Errorf("make build does not make bin/%s", name)
		}
	}
}

func TestLicense(t *testing.T) {
	license := read(t, "LICENSE")
	for _, part := range []string{"Apache License", "Version 2.0, January 2004", "END OF TERMS AND CONDITIONS"} {
		if !strings.Contains(license, part) {
			t.Errorf("LICENSE does not contain %q", part)
		}
	}
}
