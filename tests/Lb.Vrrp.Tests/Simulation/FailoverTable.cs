using System.Globalization;
using System.Text;
using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>The table of docs/explain/failover.md: how long a client has no answer, at worst over the moments at which a fault can come.</summary>
internal static class FailoverTable
{
    private const int Moments = 20;

    private static readonly (string Name, int Version, double Interval, int Backup)[] Settings =
    [
        ("version 2, 1 s", 2, 1, 100), ("version 3, 1 s", 3, 1, 100), ("version 3, 1 s, Backup 250", 3, 1, 250), ("version 3, 100 ms", 3, 0.1, 100), ("version 3, 10 ms", 3, 0.01, 100),
    ];

    private static readonly (string Name, bool IsPlain, Action<VrrpNode> Do)[] Faults =
    [
        ("stopped", false, static a => a.Stop()),
        ("stopped, without handover", true, static a => a.Stop()),
        ("fault: something tracked has failed", false, static a => a.Drive(static (r, now) => r.SetFault("tracked", now))),
        ("process killed, kernel alive", false, static a => a.Kill()),
        ("machine dead, or cut off", false, static a => a.PowerOff()),
        ("link down", false, static a => a.LinkDown()),
    ];

    public static string Write()
    {
        StringBuilder table = new();
        table.Append("| the Active node is |").AppendJoin("", Settings.Select(static s => $" {s.Name} |")).Append('\n');
        table.Append("|---|").Insert(table.Length, "---:|", Settings.Length).Append('\n');
        foreach ((string name, bool isPlain, Action<VrrpNode> fault) in Faults)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {name} |");
            foreach ((_, int version, double interval, int backup) in Settings)
            {
                TimeSpan worst = Enumerable.Range(0, Moments).Max(moment => Outage(version, interval, backup, isPlain, fault, (moment + 0.5) / Moments));
                table.Append(worst <= TimeSpan.FromMilliseconds(1) ? " none |" : string.Create(CultureInfo.InvariantCulture, $" {Math.Ceiling(worst.TotalMilliseconds):F0} |"));
            }

            table.Append('\n');
        }

        return table.ToString();
    }

    private static TimeSpan Outage(int version, double interval, int backup, bool isPlain, Action<VrrpNode> fault, double phase)
    {
        (VrrpSimulation lan, VrrpNode a, VrrpNode b) = Lan.Pair(interval, both: o => (o.Version, o.Handover) = (version, !isPlain));
        b.Reconfigure(o => o.Priority = backup);
        a.Reconfigure(static o => o.Priority = 254);
        lan.Run(TimeSpan.FromSeconds(10 + (interval * phase)));
        fault(a);
        lan.Run(TimeSpan.FromSeconds(5));
        return lan.Outages.Longest();
    }
}
