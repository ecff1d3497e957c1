package classify

import (
	"cmp"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

const (
	// Window is how many of a server's last lines Explain is to be given. The traceback of a failing start has some hundred.
	Window = 1000
	// findingLines is how many of them a finding has.
	findingLines = 20
)

// Explain says why a server ended that nobody had asked to: lines are its last ones, the oldest first, without escape sequences. The
// reason is "" when nothing tells.
func Explain(exit unit.Exit, lines []string) unit.Finding {
	f := explain(exit, lines)
	f.Lines = lines[max(0, len(lines)-findingLines):]
	return f
}

func explain(exit unit.Exit, lines []string) unit.Finding {
	texts := make([]string, len(lines))
	served := len(lines) >= Window
	for i, line := range lines {
		texts[i] = bare(line)
		served = served || strings.Contains(line, "Application startup complete.")
	}
	said := lastWords(texts)
	if exit.OOM && (exit.Signal == "killed" || said.dead || said.text == "") { // else the kernel has killed somebody else, and this server tells why it ended
		return unit.Finding{Reason: unit.HostOOMKilled, Message: "the kernel killed it because the machine, or its container, had no memory left"}
	}
	for _, r := range rules {
		if r.starting && served || r.usage && exit.Code != 2 {
			continue
		}
		for _, text := range texts {
			if parts := r.line.FindStringSubmatch(text); parts != nil {
				return r.finding(parts[1])
			}
		}
	}
	if said.text != "" {
		return unit.Finding{Reason: unit.Exited, Message: exit.String() + ": " + brief(said.text)}
	}
	return unit.Finding{}
}

func (r rule) finding(told string) unit.Finding {
	message := r.say + ": " + strings.TrimRight(brief(told), ". ")
	if r.mend != "" {
		message += "; " + r.mend
	}
	return unit.Finding{Reason: r.reason, Message: message, Permanent: r.permanent}
}

// words are what tells most of an end for which there is no rule.
type words struct {
	text string
	dead bool // one process of the server found another one gone, without a word of why
}

// lastWords prefers the last exception that is not about another one, then what tells of a lost process, then the last line of a
// program that is not Python, then an exception of whatever kind.
func lastWords(texts []string) words {
	var about, gone, said, echoed string
	for _, text := range texts {
		switch {
		case lost.MatchString(text):
			gone = text
		case echo.MatchString(text):
			echoed = cmp.Or(echoed, text) // the first is nearest to the cause
		case exception.MatchString(text):
			about = text
		case fatal.MatchString(text):
			said = text
		}
	}
	return words{cmp.Or(about, gone, said, echoed), about == "" && gone+echoed != ""}
}
