package report

import (
	"fmt"
	"math"
	"strings"
)

// chart is one drawing with its axes. Places are in the units of its view box.
type chart struct {
	Title, Unit, About string
	XLabel             string
	XTicks, YTicks     []tick
	Lines              []drawn
	Dots               []dot
}

type tick struct {
	At    float64
	Label string
}

// drawn is a line with the name that the legend gives it. Class is its colour.
type drawn struct {
	Name, Class string
	Path        string // for the d of a path
}

// dot is a place that tells its value when pointed at.
type dot struct {
	X, Y  float64
	Class string
	Label string
}

// The view box, with room for the labels of the axes.
const (
	chartWidth, chartHeight         = 560.0, 240.0
	marginLeft, marginRight         = 52.0, 12.0
	marginTop, marginBottom         = 12.0, 34.0
	plotWidth                       = chartWidth - marginLeft - marginRight
	plotHeight                      = chartHeight - marginTop - marginBottom
	manyDots                        = 130 // more of them would only blacken the line
	left, bottom            float64 = marginLeft, marginTop + plotHeight
)

// Box and the others are for the template.
func (chart) Box() string     { return fmt.Sprintf("0 0 %g %g", chartWidth, chartHeight) }
func (chart) Left() float64   { return left }
func (chart) Right() float64  { return left + plotWidth }
func (chart) Bottom() float64 { return bottom }
func (chart) Under() float64  { return bottom + 15 }
func (chart) Middle() float64 { return left + plotWidth/2 }
func (chart) Foot() float64   { return chartHeight - 4 }

// point is one value of a line; NaN as Y is a gap.
type point struct {
	X, Y  float64
	Label string
}

// line is what a chart is to show.
type line struct {
	name, class string
	points      []point
}

// scale maps values to places.
type scale struct{ top, right float64 }

func (s scale) x(v float64) float64 { return round(left + v/s.right*plotWidth) }
func (s scale) y(v float64) float64 { return round(bottom - v/s.top*plotHeight) }

func round(v float64) float64 { return math.Round(v*10) / 10 }

// draw makes a chart whose x axis goes from 0 to right. Its y axis begins at 0, so that lengths compare.
func draw(title, unit, about, xLabel string, right float64, xTicks []tick, lines []line) chart {
	highest := 0.0
	for _, l := range lines {
		for _, p := range l.points {
			if p.Y > highest { // never so for NaN
				highest = p.Y
			}
		}
	}
	step := niceStep(highest, 5)
	s := scale{top: math.Max(step, math.Ceil(highest/step*1.0001)*step), right: math.Max(right, 1e-9)}
	c := chart{Title: title, Unit: unit, About: about, XLabel: xLabel}
	for v := 0.0; v <= s.top*1.0001; v += step {
		c.YTicks = append(c.YTicks, tick{s.y(v), axisLabel(v, step)})
	}
	for _, t := range xTicks {
		c.XTicks = append(c.XTicks, tick{s.x(t.At), t.Label})
	}
	for _, l := range lines {
		c.Lines = append(c.Lines, drawn{l.name, l.class, path(s, l.points)})
		for _, p := range l.points {
			if len(l.points) <= manyDots && !math.IsNaN(p.Y) {
				c.Dots = append(c.Dots, dot{s.x(p.X), s.y(p.Y), l.class, l.name + " " + p.Label})
			}
		}
	}
	return c
}

// path joins the points, with a new start behind each gap. A line of no length there makes a dot of a point that stands alone.
func path(s scale, points []point) string {
	var b strings.Builder
	pen := "M"
	for _, p := range points {
		if math.IsNaN(p.Y) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%g %g", pen, s.x(p.X), s.y(p.Y))
		if pen == "M" {
			b.WriteString("h0")
		}
		pen = "L"
	}
	return b.String()
}

// niceStep is 1, 2 or 5 times a power of ten and cuts the way to top into at most n parts.
func niceStep(top float64, n int) float64 {
	if top <= 0 {
		return 1
	}
	raw := top / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= raw {
			return f * power
		}
	}
	return 10 * power
}

// axisLabel has as many digits as the step needs.
func axisLabel(v, step float64) string {
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	if v >= 10_000 && step >= 1000 {
		return fmt.Sprintf("%gk", v/1000)
	}
	return fmt.Sprintf("%.*f", digits, v)
}
