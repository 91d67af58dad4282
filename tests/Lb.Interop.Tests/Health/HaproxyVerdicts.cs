using System.Net;
using System.Text;
using Lb.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

/// <summary>All cases at a time: HAProxy checks the targets, and so do we.</summary>
public sealed class HaproxyVerdicts() : PeerFixture(Haproxy.Need)
{
    // Long enough for a machine that is busy; the targets that never answer cost this once, as all are asked together.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, (ProbeResult Ours, string Word, string Code, string Last)> _verdicts = new(StringComparer.Ordinal);

    /// <summary>What we say of a case, and what HAProxy says: its <c>check_status</c>, <c>check_code</c> and <c>last_chk</c>.</summary>
    public (ProbeResult Ours, string Word, string Code, string Last) this[string name] => _verdicts[name];

    protected override async Task StartAsync(CancellationToken ct)
    {
        StringBuilder sections = new("defaults\n  mode tcp\n  timeout connect 5s\n  timeout server 30s\n  timeout check 5s\n");
        List<(HaproxyCase Case, EndPoint EndPoint)> targets = [];
        foreach (HaproxyCase one in HaproxyCases.All)
        {
            EndPoint endPoint = Keep(await one.StartAsync(ct)).EndPoint;
            HaproxyKind kind = HaproxyKinds.All[one.Kind];
            sections.Append($"backend b{targets.Count}\n  {kind.Backend}\n  server s {endPoint} check inter 5s {kind.Server}\n");
            targets.Add((one, endPoint));
        }

        await using Haproxy haproxy = await Haproxy.StartAsync(Home, sections.ToString());
        ProbeResult[] ours = await Task.WhenAll(targets.Select(t => AskAsync(t.Case, t.EndPoint, ct)));
        Dictionary<string, Dictionary<string, string>> stats = await haproxy.WhenCheckedAsync(ct);
        for (int i = 0; i < targets.Count; i++)
        {
            Dictionary<string, string> row = stats[$"b{i}/s"];
            _verdicts[targets[i].Case.Name] = (ours[i], row["check_status"], row["check_code"], row["last_chk"]);
        }
    }

    private static async Task<ProbeResult> AskAsync(HaproxyCase one, EndPoint endPoint, CancellationToken ct)
    {
        using CancellationTokenSource whole = CancellationTokenSource.CreateLinkedTokenSource(ct);
        whole.CancelAfter(2 * Limit);
        return await HaproxyKinds.All[one.Kind].Create().CheckAsync(new ProbeTarget("s", endPoint, Limit, 2 * Limit) { AnswerTimeout = Limit }, whole.Token);
    }
}
