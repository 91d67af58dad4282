using System.Globalization;
using System.Net;
using System.Text;

namespace Lb.Tool;

/// <summary>A horizontal bar chart as inline SVG: a label, a bar and its value in each line. Colours come from the page's style.</summary>
internal static class BarChart
{
    private const int Width = 440, Line = 24, Labels = 126, Values = 62;

    /// <summary>Draws one.</summary>
    /// <param name="title">What is drawn, also for screen readers.</param>
    /// <param name="bars">Label, value and how the value is written; values are not negative.</param>
    public static string Write(string title, IReadOnlyList<(string Label, double Value, string Text)> bars)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        double most = Math.Max(bars.Max(static b => b.Value), double.Epsilon);
        int height = (bars.Count * Line) + 4;
        StringBuilder svg = new();
        svg.Append(culture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Encode(title)}\">\n");
        for (int i = 0; i < bars.Count; i++)
        {
            (string label, double value, string text) = bars[i];
            double length = Math.Max(2, (Width - Labels - Values) * (value / most));
            int top = (i * Line) + 4, baseline = top + 13;
            svg.Append(culture, $"<text class=\"label\" x=\"{Labels - 8}\" y=\"{baseline}\" text-anchor=\"end\">{Encode(Shorten(label))}<title>{Encode(label)}</title></text>\n");
            svg.Append(culture, $"<rect class=\"c{i % ComparisonPage.Colours}\" x=\"{Labels}\" y=\"{top}\" width=\"{length:F1}\" height=\"{Line - 8}\" rx=\"2\"/>\n");
            svg.Append(culture, $"<text class=\"value\" x=\"{Labels + length + 6:F1}\" y=\"{baseline}\">{Encode(text)}</text>\n");
        }

        return svg.Append("</svg>").ToString();
    }

    private static string Shorten(string label) => label.Length <= 18 ? label : $"{label[..17]}…";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
