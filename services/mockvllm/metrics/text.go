package metrics

import "strings"

// form is how families are written. The zero form is what GET /metrics answers.
type form struct {
	open   bool            // OpenMetrics
	merged bool            // of several processes: no times of creation, no empty families
	escape escaping        // of names
	only   map[string]bool // the names of the samples that are wanted; nil for all
}

// order is that of the files that merged metrics are read from.
var order = []kind{histogram, summary, counter, gauge}

// text appends the families to b.
func (f form) text(b []byte, families []*family) []byte {
	if f.merged {
		for _, k := range order {
			for _, fam := range families {
				if fam.kind == k {
					b = f.family(b, fam)
				}
			}
		}
	} else {
		for _, fam := range families {
			b = f.family(b, fam)
		}
	}
	if f.open {
		b = append(b, "# EOF\n"...)
	}
	return b
}

func (f form) family(b []byte, fam *family) []byte {
	start := len(b)
	suffix := ""
	if fam.kind == counter && !f.open {
		suffix = "_total"
	}
	b = f.head(b, fam, suffix, fam.kind)
	body := len(b)
	dated := fam.kind != gauge && !fam.undated && !f.merged
	for _, s := range fam.series {
		b = f.series(b, fam, s)
		if dated && f.open {
			b = f.sample(b, fam.name, "_created", s.labels, s.created)
		}
	}
	if dated && !f.open && len(fam.series) > 0 {
		head := len(b)
		b = f.head(b, fam, "_created", gauge)
		first := len(b)
		for _, s := range fam.series {
			b = f.sample(b, fam.name, "_created", s.labels, s.created)
		}
		if len(b) == first {
			b = b[:head]
		}
	}
	if len(b) == body && (f.merged || f.only != nil) {
		return b[:start]
	}
	return b
}

func (f form) head(b []byte, fam *family, suffix string, k kind) []byte {
	for _, line := range [2][2]string{{"# HELP ", fam.help}, {"# TYPE ", string(k)}} {
		b = append(b, line[0]...)
		b = append(b, f.escape.header(fam.name)...)
		b = append(b, f.escape.header(suffix)...)
		b = append(b, ' ')
		b = append(b, line[1]...)
		b = append(b, '\n')
	}
	return b
}

func (f form) series(b []byte, fam *family, s *series) []byte {
	switch fam.kind {
	case counter:
		return f.sample(b, fam.name, "_total", s.labels, s.value)
	case gauge:
		return f.sample(b, fam.name, "", s.labels, s.value)
	case summary:
		b = f.sample(b, fam.name, "_count", s.labels, float64(s.count))
		return f.sample(b, fam.name, "_sum", s.labels, s.value)
	}
	if f.merged {
		b = f.sample(b, fam.name, "_sum", s.labels, s.value)
	}
	var below uint64
	for i, n := range s.buckets {
		below += n
		b = f.sample(b, fam.name, "_bucket", s.le[i], float64(below))
	}
	b = f.sample(b, fam.name, "_count", s.labels, float64(s.count))
	if !f.merged {
		b = f.sample(b, fam.name, "_sum", s.labels, s.value)
	}
	return b
}

func (f form) sample(b []byte, name, suffix, labels string, v float64) []byte {
	if f.only != nil && !f.only[name+suffix] {
		return b
	}
	if f.escape == "" && !f.open {
		b = append(b, name...)
		b = append(b, suffix...)
	} else {
		b = append(b, f.escape.sample(name+suffix, f.open)...)
		labels = f.escape.labels(labels)
	}
	if labels != "" {
		b = append(b, '{')
		b = append(b, labels...)
		b = append(b, '}')
	}
	b = append(b, ' ')
	b = appendFloat(b, v)
	return append(b, '\n')
}

// escaping is what a scraper asks for where a name has characters outside of its own set. prometheus_client takes the
// colon for one of these in the samples of OpenMetrics, but not in their heads.
type escaping string

const (
	underscores escaping = "underscores"
	utf8        escaping = "allow-utf-8"
	dots        escaping = "dots"
	values      escaping = "values"
)

var (
	colonUnderscored  = strings.NewReplacer(":", "_")
	underscoreDoubled = strings.NewReplacer("_", "__")
	dotted            = strings.NewReplacer("_", "__", ":", "__")
	valued            = strings.NewReplacer("_", "__", ":", "_3a_")
)

func (e escaping) header(name string) string {
	if e == dots {
		return underscoreDoubled.Replace(name)
	}
	return name
}

func (e escaping) sample(name string, open bool) string {
	switch {
	case !open || e == utf8:
		return e.header(name)
	case e == dots:
		return dotted.Replace(name)
	case e == values:
		return "U__" + valued.Replace(name)
	}
	return colonUnderscored.Replace(name)
}

// labels escapes the names in text, and leaves the quoted values.
func (e escaping) labels(text string) string {
	if e != dots {
		return text
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			b.WriteByte(c)
			i++
			c = text[i]
		case c == '"':
			quoted = !quoted
		case c == '_' && !quoted:
			b.WriteByte(c)
		}
		b.WriteByte(c)
	}
	return b.String()
}
