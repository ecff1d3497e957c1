package promclient

import "strings"

// Format is how families are written. The zero Format is the plain text of one process.
type Format struct {
	Merged bool            // of several processes: no times of creation, no empty families
	open   bool            // OpenMetrics
	escape escaping        // of names
	only   map[string]bool // the names of the samples that are wanted; nil for all
}

// order is that of the files that merged metrics are read from.
var order = []Kind{Histogram, Summary, Counter, Gauge}

// Append writes the families to b.
func (f Format) Append(b []byte, families []*Family) []byte {
	if f.Merged {
		for _, k := range order {
			for _, fam := range families {
				if fam.Kind == k {
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

func (f Format) family(b []byte, fam *Family) []byte {
	start := len(b)
	suffix := ""
	if fam.Kind == Counter && !f.open {
		suffix = "_total"
	}
	b = f.head(b, fam, suffix, fam.Kind)
	body := len(b)
	dated := fam.Kind != Gauge && !fam.undated && !f.Merged
	for _, s := range fam.series {
		b = f.series(b, fam, s)
		if dated && f.open {
			b = f.sample(b, fam.Name, "_created", s.labels, s.created)
		}
	}
	if dated && !f.open && len(fam.series) > 0 {
		head := len(b)
		b = f.head(b, fam, "_created", Gauge)
		first := len(b)
		for _, s := range fam.series {
			b = f.sample(b, fam.Name, "_created", s.labels, s.created)
		}
		if len(b) == first {
			b = b[:head]
		}
	}
	if len(b) == body && (f.Merged || f.only != nil) {
		return b[:start]
	}
	return b
}

func (f Format) head(b []byte, fam *Family, suffix string, k Kind) []byte {
	for _, line := range [2][2]string{{"# HELP ", fam.Help}, {"# TYPE ", string(k)}} {
		b = append(b, line[0]...)
		b = append(b, f.escape.header(fam.Name)...)
		b = append(b, f.escape.header(suffix)...)
		b = append(b, ' ')
		b = append(b, line[1]...)
		b = append(b, '\n')
	}
	return b
}

func (f Format) series(b []byte, fam *Family, s *Series) []byte {
	switch fam.Kind {
	case Counter:
		return f.sample(b, fam.Name, "_total", s.labels, s.value)
	case Gauge:
		return f.sample(b, fam.Name, "", s.labels, s.value)
	case Summary:
		b = f.sample(b, fam.Name, "_count", s.labels, float64(s.count))
		return f.sample(b, fam.Name, "_sum", s.labels, s.value)
	}
	if f.Merged {
		b = f.sample(b, fam.Name, "_sum", s.labels, s.value)
	}
	var below uint64
	for i, n := range s.buckets {
		below += n
		b = f.sample(b, fam.Name, "_bucket", s.le[i], float64(below))
	}
	b = f.sample(b, fam.Name, "_count", s.labels, float64(s.count))
	if !f.Merged {
		b = f.sample(b, fam.Name, "_sum", s.labels, s.value)
	}
	return b
}

func (f Format) sample(b []byte, name, suffix, labels string, v float64) []byte {
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
