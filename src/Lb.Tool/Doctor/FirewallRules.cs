using System.Globalization;
using System.Text.RegularExpressions;

namespace Lb.Tool;

/// <summary>What a firewall does with adverts.</summary>
internal enum FirewallVerdict
{
    /// <summary>Lets them pass.</summary>
    Passes,

    /// <summary>Drops what no rule accepts, and no rule accepts adverts.</summary>
    DropsAll,

    /// <summary>A rule drops adverts by name.</summary>
    DropsAdverts,
}

/// <summary>
/// Reads the output of <c>nft list ruleset</c> and <c>iptables -S</c> as far as adverts go: does a chain at the input or output drop what is not accepted, and
/// does a rule accept them? Jumps are not followed: a rule in a chain that is jumped to counts as if it were reached. Pure.
/// </summary>
internal sealed partial class FirewallRules
{
    private const int Milliseconds = 1000;
    private readonly Regex _adverts;
    private readonly string _device;
    private readonly bool[] _drops = new bool[2];
    private readonly bool[] _accepts = new bool[2];
    private bool _dropsAdverts;

    private FirewallRules(int? udpPort, string device)
    {
        _device = device;
        _adverts = udpPort is not { } port ? Protocol()
            : new Regex(string.Create(CultureInfo.InvariantCulture, $@"\bdport (?:\{{[^}}]*)?\b{port}\b"), RegexOptions.None, TimeSpan.FromMilliseconds(Milliseconds));
    }

    // Where packets meet a chain first; a chain without is jumped to.
    private enum Hook
    {
        Input,
        Output,
        Jump,
        Other,
    }

    private FirewallVerdict Verdict => _dropsAdverts ? FirewallVerdict.DropsAdverts
        : (_drops[0] && !_accepts[0]) || (_drops[1] && !_accepts[1]) ? FirewallVerdict.DropsAll : FirewallVerdict.Passes;

    /// <summary>Judges the rules of nftables.</summary>
    /// <param name="ruleset">The output of <c>nft list ruleset</c>.</param>
    /// <param name="isV6">Family of the adverts.</param>
    /// <param name="udpPort">Port of adverts over UDP; null = protocol 112.</param>
    /// <param name="device">Interface they come in at and go out by.</param>
    public static FirewallVerdict JudgeNft(string ruleset, bool isV6, int? udpPort, string device)
    {
        FirewallRules rules = new(udpPort, device);
        bool isOfFamily = true;
        Hook hook = Hook.Jump;
        foreach (string line in ruleset.Split('\n'))
        {
            string rule = Counter().Replace(line.Trim(), "");
            if (rule.StartsWith("table ", StringComparison.Ordinal)) isOfFamily = rule.Split(' ')[1] is var family && (family == "inet" || family == (isV6 ? "ip6" : "ip"));
            if (rule.StartsWith("chain ", StringComparison.Ordinal)) hook = Hook.Jump;
            if (!isOfFamily) continue;
            if (NftBase().Match(rule) is { Success: true } found)
            {
                hook = found.Groups[1].Value switch { "input" => Hook.Input, "output" => Hook.Output, _ => Hook.Other };
                if (rule.Contains("policy drop", StringComparison.Ordinal)) rules.Drop(hook);
            }
            else if (rule is "accept") rules.Accept(hook == Hook.Jump ? Hook.Other : hook);
            else if (RefusesAll().IsMatch(rule)) rules.Drop(hook);
            else rules.Take(rule, hook, accepts: AcceptWord().IsMatch(rule), refuses: RefuseWord().IsMatch(rule));
        }

        return rules.Verdict;
    }

    /// <summary>Judges the rules of iptables or ip6tables.</summary>
    /// <param name="text">The output of <c>iptables -S</c>.</param>
    /// <param name="udpPort">Port of adverts over UDP; null = protocol 112.</param>
    /// <param name="device">Interface they come in at and go out by.</param>
    public static FirewallVerdict JudgeIptables(string text, int? udpPort, string device)
    {
        FirewallRules rules = new(udpPort, device);
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 3) continue;
            Hook hook = words[1] switch { "INPUT" => Hook.Input, "OUTPUT" => Hook.Output, "FORWARD" => Hook.Other, _ => Hook.Jump };
            bool refuses = line.Contains("-j DROP", StringComparison.Ordinal) || line.Contains("-j REJECT", StringComparison.Ordinal), accepts = line.Contains("-j ACCEPT", StringComparison.Ordinal);
            if (words[0] == "-P" && words[2] == "DROP") rules.Drop(hook);
            else if (words[0] == "-A" && words[2] == "-j" && refuses) rules.Drop(hook);
            else if (words[0] == "-A" && words[2] == "-j" && accepts) rules.Accept(hook == Hook.Jump ? Hook.Other : hook);
            else if (words[0] == "-A") rules.Take(line.Trim(), hook, accepts, refuses);
        }

        return rules.Verdict;
    }

    private void Take(string rule, Hook hook, bool accepts, bool refuses)
    {
        bool isOfDevice = Device().Match(rule) is not { Success: true } named || named.Groups[1].Value == _device;
        bool isOfAdverts = _adverts.IsMatch(rule);
        if (!isOfDevice || hook == Hook.Other) return;
        if (refuses && isOfAdverts) _dropsAdverts = true;
        if (accepts && (isOfAdverts || WholeDevice().IsMatch(rule))) Accept(hook);
    }

    private void Drop(Hook hook)
    {
        if (hook <= Hook.Output) _drops[(int)hook] = true;
    }

    private void Accept(Hook hook)
    {
        if (hook is Hook.Input or Hook.Jump) _accepts[0] = true;
        if (hook is Hook.Output or Hook.Jump) _accepts[1] = true;
    }

    [GeneratedRegex(@"counter packets \d+ bytes \d+ ", RegexOptions.None, Milliseconds)]
    private static partial Regex Counter();

    [GeneratedRegex(@"^type \w+ hook (\w+)\b", RegexOptions.None, Milliseconds)]
    private static partial Regex NftBase();

    [GeneratedRegex(@"^(?:drop|reject)(?: with [\w ]+(?:-\w+)*)?$", RegexOptions.None, Milliseconds)]
    private static partial Regex RefusesAll();

    [GeneratedRegex(@"\baccept\b", RegexOptions.None, Milliseconds)]
    private static partial Regex AcceptWord();

    [GeneratedRegex(@"\b(?:drop|reject)\b", RegexOptions.None, Milliseconds)]
    private static partial Regex RefuseWord();

    [GeneratedRegex(@"^(?:[io]if(?:name)? \S+ accept|-A \w+ -[io] \S+ -j ACCEPT)\b", RegexOptions.None, Milliseconds)]
    private static partial Regex WholeDevice();

    [GeneratedRegex(@"(?:\bprotocol|\bl4proto|\bnexthdr|-p) (?:\{[^}]*)?\b(?:112|vrrp)\b|\b224\.0\.0\.18\b|\bff02::12\b", RegexOptions.None, Milliseconds)]
    private static partial Regex Protocol();

    [GeneratedRegex(@"(?:\b[io]if(?:name)?|-[io]) ""?([^"" ]+)", RegexOptions.None, Milliseconds)]
    private static partial Regex Device();
}
