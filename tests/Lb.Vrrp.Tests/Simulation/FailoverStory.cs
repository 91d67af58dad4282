using System.Globalization;
using System.Text;
using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>The run that docs/explain/failover.md shows, and its picture.</summary>
internal static class FailoverStory
{
    private const int Left = 70, PerSecond = 14, Lane = 34, Bar = 22, Length = 56;
    private const double Step = 0.02;

    private static readonly (double At, string Text, Action<VrrpSimulation, VrrpNode, VrrpNode> Do)[] Acts =
    [
        (6, "a stops", static (_, a, _) => a.Stop()),
        (12, "a starts", static (_, a, _) => a.Start()),
        (20, "kill -9 a", static (_, a, _) => a.Kill()),
        (28, "a starts", static (_, a, _) => a.Start()),
        (36, "split", static (lan, a, b) => lan.Partition(a, b)),
        (44, "healed", static (lan, _, _) => lan.Heal()),
        (50, "a link down", static (_, a, _) => a.LinkDown()),
    ];

    private static readonly (string Name, string Colour)[] Legend =
        [("Active, or its answer", "#2a7f4f"), ("resigning", "#8fc9a5"), ("Backup", "#c9d3de"), ("fault", "#d08a2e"), ("address without a process", "#b58fd0"), ("answer of b", "#3b6ea8"), ("no answer", "#c43d3d")];

    /// <summary>Plays it and draws it.</summary>
    public static string Draw()
    {
        (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Start();
        Lanes lanes = new(["a", "b", "client"]);
        int act = 0;
        for (int step = 0; step < Length / Step; step++)
        {
            TimeSpan at = TimeSpan.FromSeconds(step * Step);
            while (act < Acts.Length && at >= TimeSpan.FromSeconds(Acts[act].At)) Acts[act++].Do(lan, a, b);
            lan.Run(TimeSpan.FromSeconds(Step));
            lanes.Add("a", step, ColourOf(lan, a));
            lanes.Add("b", step, ColourOf(lan, b));

            lanes.Add("client", step, !lan.Address(1).IsAnswered ? ColourOf("no answer") : lan.Address(1).Believed == "a" ? $"{ColourOf("Active, or its answer")} a" : $"{ColourOf("answer of b")} b");
        }

        return Svg(lanes);
    }

    private static (VrrpSimulation Lan, VrrpNode A, VrrpNode B) Start()
    {
        VrrpSimulation lan = new();
        VrrpNode a = lan.AddNode("a", "192.0.2.1", static o => o.Priority = 150), b = lan.AddNode("b", "192.0.2.2");
        lan.Run(TimeSpan.FromSeconds(8.3));
        return (lan, a, b);
    }

    private static string ColourOf(VrrpSimulation lan, VrrpNode node) => node.State() switch
    {
        RouterState.Active => ColourOf("Active, or its answer"),
        RouterState.Resigning => ColourOf("resigning"),
        RouterState.Backup => ColourOf("Backup"),
        RouterState.Fault => ColourOf("fault"),
        _ => lan.Holders.Contains(node.Name) ? ColourOf("address without a process") : "",
    };

    private static string ColourOf(string name) => Legend.First(l => l.Name == name).Colour;

    private static string Svg(Lanes lanes)
    {
        StringBuilder svg = new();
        const int width = Left + (Length * PerSecond) + 24, top = 48;
        int bottom = top + (3 * Lane);
        Line(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {bottom + 54}\" role=\"img\" aria-label=\"Who has the address, fault by fault\" font-family=\"system-ui, sans-serif\" font-size=\"12\">");
        Line(svg, $"<rect width=\"{width}\" height=\"{bottom + 54}\" fill=\"#ffffff\"/>");
        foreach ((double at, string text, _) in Acts)
        {
            double x = Left + (at * PerSecond);
            Line(svg, $"<text x=\"{x}\" y=\"{(at is 28 or 12 or 44 ? 30 : 16)}\" text-anchor=\"middle\" fill=\"#333333\">{text}</text>");
            Line(svg, $"<path d=\"M{x} 34V{bottom}\" stroke=\"#888888\" stroke-dasharray=\"2 3\"/>");
        }

        int lane = 0;
        foreach ((string name, List<(int From, int To, string What)> parts) in lanes.Parts)
        {
            int y = top + (lane++ * Lane);
            Line(svg, $"<text x=\"{Left - 10}\" y=\"{y + 15}\" text-anchor=\"end\" fill=\"#333333\">{name}</text>");
            foreach ((int from, int to, string what) in parts.Where(static p => p.What.Length > 0))
            {
                string[] words = what.Split(' ');
                double x = Left + (from * Step * PerSecond), length = Math.Max((to - from) * Step * PerSecond, 2);
                Line(svg, $"<rect x=\"{x:F1}\" y=\"{y}\" width=\"{length:F1}\" height=\"{Bar}\" fill=\"{words[0]}\"/>");
                if (words.Length > 1 && length > 10) Line(svg, $"<text x=\"{x + (length / 2):F1}\" y=\"{y + 15}\" text-anchor=\"middle\" fill=\"#ffffff\">{words[1]}</text>");
            }
        }

        for (int second = 0; second <= Length; second += 4)
            Line(svg, $"<text x=\"{Left + (second * PerSecond)}\" y=\"{bottom + 14}\" text-anchor=\"middle\" fill=\"#666666\">{second} s</text>");
        int place = Left;
        foreach ((string name, string colour) in Legend)
        {
            Line(svg, $"<rect x=\"{place}\" y=\"{bottom + 30}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>");
            Line(svg, $"<text x=\"{place + 17}\" y=\"{bottom + 40}\" fill=\"#333333\">{name}</text>");
            place += 34 + (name.Length * 6);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

    /// <summary>Stretches of one kind, by lane.</summary>
    private sealed class Lanes(string[] names)
    {
        public IReadOnlyList<(string Name, List<(int From, int To, string What)> Parts)> Parts { get; } = [.. names.Select(static n => (n, new List<(int, int, string)>()))];

        public void Add(string name, int step, string what)
        {
            List<(int From, int To, string What)> parts = Parts.First(p => p.Name == name).Parts;
            if (parts.Count > 0 && parts[^1].What == what) parts[^1] = (parts[^1].From, step + 1, what);
            else parts.Add((step, step + 1, what));
        }
    }
}
