package golden

import (
	"fmt"
	"slices"
	"strings"
)

// Difference returns the first difference between the recorded answer and another, "" when there is none. It first compares
// what the answers mean, then how streams are put (starting with "stream").
func (c Case) Difference(got Answer) string {
	if c.Answer == nil {
		return "no answer is recorded"
	}
	lengths := wordsDecideLength(c.Request)
	if d := firstDifference(c.Answer.meaning(lengths), got.meaning(lengths)); d != "" {
		return d
	}
	if d := firstDifference(c.Answer.framing(lengths), got.framing(lengths)); d != "" {
		return "stream: " + d
	}
	return ""
}

// HeadDifference compares what no client should notice: the reason behind the status, and the order and spelling of headers.
func (c Case) HeadDifference(got Answer) string {
	return firstDifference(c.Answer.head(), got.head())
}

func (a Answer) head() []string {
	lines := []string{"status line " + a.StatusLine}
	for _, h := range a.Headers {
		lines = append(lines, "header name "+h[0])
	}
	return lines
}

func firstDifference(want, got []string) string {
	line := func(lines []string, i int) string {
		if i >= len(lines) {
			return "nothing more"
		}
		if text := []rune(lines[i]); len(text) > 400 {
			return string(text[:400]) + "…"
		}
		return lines[i]
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			return "want " + line(want, i) + "\n got " + line(got, i)
		}
	}
	return ""
}

// meaning is status, headers and body as lines, without what masks hide.
func (a Answer) meaning(lengths bool) []string {
	lines := []string{fmt.Sprintf("status %d", a.Status())}
	var headers []string
	for _, h := range a.Headers {
		name := strings.ToLower(h[0])
		headers = append(headers, "header "+name+": "+maskHeader(name, h[1]))
	}
	slices.Sort(headers)
	lines = append(lines, headers...)

	contentType := a.Header("content-type")
	if strings.Contains(contentType, "event-stream") {
		return append(lines, lanes(frames(a.Body, lengths))...)
	}
	body, err := parseJSON(a.Body)
	if err != nil {
		return append(lines, strings.Split("text "+maskText(a.Body, contentType), "\n")...)
	}
	if a.Status() < 400 {
		body = applyMasks(body, "", false)
	}
	if lengths {
		body = hideLengths(body)
	}
	return append(append(lines, flatten("body", body)...), "style "+style(a.Body))
}

// frame is a server-sent event.
type frame struct {
	lane  string   // the choice that it belongs to, "-" when to none
	lines []string // what it says
	style string
}

// frames cuts a stream; of equal frames of one choice in a row only the first is kept.
func frames(body string, lengths bool) (all []frame) {
	last := map[string][]string{}
	for text := range strings.SplitSeq(strings.ReplaceAll(body, "\r\n", "\n"), "\n\n") {
		if text = strings.Trim(text, "\n"); text == "" {
			continue
		}
		f := readFrame(text, lengths)
		if before, ok := last[f.lane]; ok && slices.Equal(before, f.lines) {
			continue
		}
		last[f.lane] = f.lines
		all = append(all, f)
	}
	return all
}

func readFrame(text string, lengths bool) frame {
	var other, data []string
	f := frame{lane: "-"}
	for line := range strings.SplitSeq(text, "\n") {
		value, ok := strings.CutPrefix(line, "data:")
		if !ok {
			other = append(other, line)
			continue
		}
		trimmed := strings.TrimLeft(value, " \t")
		f.style += line[:len(line)-len(trimmed)]
		data = append(data, trimmed)
	}
	raw := strings.Join(data, "\n")
	f.lines = []string{"event " + strings.Join(other, "")}
	v, err := parseJSON(raw)
	if err != nil {
		f.lines = append(f.lines, "data "+raw)
		return f
	}
	v = applyMasks(v, "", false)
	if lengths {
		v = hideLengths(v)
	}
	v = hideCounters(v)
	f.lane = choiceOf(v)
	f.lines = append(f.lines, flatten("data", v)...)
	f.style += style(raw)
	return f
}

// choiceOf returns the index of the first choice in a frame.
func choiceOf(v any) string {
	choices, _ := lookUp(v, "choices").([]any)
	if len(choices) > 0 {
		if index := lookUp(choices[0], "index"); index != nil {
			return fmt.Sprint(index)
		}
	}
	return "-"
}

func lookUp(v any, key string) any {
	o, _ := v.(object)
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// lanes puts the frames of each choice together, because those of several choices come in any order.
func lanes(all []frame) (lines []string) {
	slices.SortStableFunc(all, func(a, b frame) int { return strings.Compare(a.lane, b.lane) })
	count := map[string]int{}
	for _, f := range all {
		for _, line := range f.lines {
			lines = append(lines, fmt.Sprintf("choice %s, frame %d: %s", f.lane, count[f.lane], line))
		}
		count[f.lane]++
	}
	return lines
}

// framing is how a stream is put: what a comparison of meanings, which looks at each choice alone, does not see.
func (a Answer) framing(lengths bool) []string {
	if !strings.Contains(a.Header("content-type"), "event-stream") {
		return nil
	}
	chunks := slices.Clone(a.FramesPerChunk)
	slices.Sort(chunks)
	lines := []string{fmt.Sprintf("frames per chunk %v", slices.Compact(chunks)),
		fmt.Sprintf("carriage returns %v, last frame closed %v", strings.Contains(a.Body, "\r"), strings.HasSuffix(a.Body, "\n\n"))}
	all := frames(a.Body, lengths)
	if slices.ContainsFunc(all, func(f frame) bool { return f.lane != "-" && f.lane != "0" }) {
		slices.SortStableFunc(all, func(a, b frame) int { return strings.Compare(a.lane, b.lane) })
	}
	for i, f := range all {
		lines = append(lines, fmt.Sprintf("frame %d: choice %s, %s", i, f.lane, f.style))
	}
	return lines
}
