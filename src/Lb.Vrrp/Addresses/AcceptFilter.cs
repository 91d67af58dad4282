using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Lb.Vrrp;

/// <summary>
/// Keeps packets to the virtual addresses from this host's programs while it is Active but not the owner (RFC 9568 6.1, Accept_Mode false): drops them by
/// nftables. ARP is no IP packet and passes; of ICMPv6, neighbour solicitations and advertisements do, as 6.4.3 demands. What this host sends to the
/// addresses itself passes too.
/// </summary>
/// <remarks>
/// One chain for each router in the table <c>inet lb_vrrp</c>, which is ours alone. It stands from the start to the end of the router, in every state: while
/// the addresses are elsewhere nothing arrives for it, and a change of the Active node has nothing to wait for. The program <c>nft</c> does the work,
/// without a shell. Not thread-safe.
/// </remarks>
internal sealed class AcceptFilter : IDisposable
{
    /// <summary>The table.</summary>
    public const string Table = "lb_vrrp";

    /// <summary>Longest run of <c>nft</c>.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly string[] s_places = ["/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft", "/usr/bin/nft"];

    private readonly string _chain;
    private readonly string _rules;
    private readonly string? _program;
    private bool _installed;

    /// <summary>Describes the rules. Nothing is touched yet.</summary>
    /// <param name="device">Name of the router's interface.</param>
    /// <param name="routerId">Number of the router.</param>
    /// <param name="isV6">Family of the router: with the others it makes the chain's name.</param>
    /// <param name="addresses">The virtual addresses.</param>
    /// <param name="program">Full path of <c>nft</c>; null = where it is found.</param>
    public AcceptFilter(string device, byte routerId, bool isV6, IEnumerable<PeerAddress> addresses, string? program = null)
    {
        _program = program ?? Program;
        // Names of interfaces may hold what names of chains may not.
        string name = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(device));
        _chain = string.Create(CultureInfo.InvariantCulture, $"router_{(isV6 ? 6 : 4)}_{routerId}_{name}");
        _rules = Rules(_chain, [.. addresses]);
    }

    /// <summary>Whether <c>nft</c> is installed.</summary>
    public static bool IsSupported => Program is not null;

    // What there was when this process first asked: its own rules are not left over.
    private static HashSet<string> Removed { get; } = new(StringComparer.Ordinal);

    private static Lazy<string> Left { get; } = new(static () =>
    {
        try
        {
            return Program is { } program ? Run(program, ["list", "table", "inet", Table], "") : "";
        }
        catch (IOException)
        {
            // There is no such table, or no right to look.
            return "";
        }
    });

    private static string? Program => Array.Find(s_places, File.Exists);

    /// <summary>Puts the rules in, in one step; those of an earlier run are replaced.</summary>
    /// <exception cref="IOException"><c>nft</c> is not installed or refuses them; the message has its words.</exception>
    public void Install()
    {
        Run(_rules);
        _installed = true;
    }

    /// <summary>
    /// Takes out what an earlier run that was killed has left for these addresses: its chains would go on dropping, whatever is configured now. Chains of
    /// routers that are configured with such rules are put in again by <see cref="Install"/>.
    /// </summary>
    /// <param name="addresses">The virtual addresses.</param>
    /// <returns>How many chains were removed.</returns>
    /// <exception cref="IOException"><c>nft</c> fails.</exception>
    public static int RemoveStale(IReadOnlyCollection<PeerAddress> addresses)
    {
        if (Program is not { } program) return 0;
        string[] stale;
        lock (Removed) stale = [.. ChainsOf(Left.Value, addresses).Where(Removed.Add)];
        if (stale.Length > 0) Run(program, ["-f", "-"], string.Concat(stale.Select(static c => $"add chain inet {Table} {c}\nflush chain inet {Table} {c}\ndelete chain inet {Table} {c}\n")));
        return stale.Length;
    }

    /// <summary>The chains that name one of these addresses.</summary>
    /// <param name="listing">What <c>nft list table</c> writes.</param>
    /// <param name="addresses">The virtual addresses.</param>
    internal static IReadOnlyList<string> ChainsOf(string listing, IReadOnlyCollection<PeerAddress> addresses)
    {
        HashSet<string> texts = [.. addresses.Select(static a => a.ToIPEndPoint().Address.ToString())];
        List<string> found = [];
        string? chain = null;
        foreach (string line in listing.Split('\n'))
        {
            string[] words = line.Split([' ', '\t', ',', '{', '}'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["chain", var name, ..]) chain = name;
            else if (chain is not null && !found.Contains(chain) && Array.Exists(words, texts.Contains)) found.Add(chain);
        }

        return found;
    }

    /// <summary>Takes the rules out again. The empty table stays, as other routers use it.</summary>
    /// <exception cref="IOException"><c>nft</c> fails.</exception>
    public void Remove()
    {
        if (!_installed) return;
        _installed = false;

        // Added first, so that it is no error if somebody has removed it.
        Run($"add table inet {Table}\nadd chain inet {Table} {_chain}\ndelete chain inet {Table} {_chain}\n");
    }

    /// <summary>Takes the rules out, if that can be done.</summary>
    public void Dispose()
    {
        try
        {
            Remove();
        }
        catch (IOException)
        {
            // Rules for addresses that are not here harm nobody, and the next start replaces them.
        }
    }

    private static string Rules(string chain, PeerAddress[] addresses)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"add table inet {Table}\nadd chain inet {Table} {chain} {{ type filter hook input priority -10 ; policy accept ; }}\nflush chain inet {Table} {chain}\n");
        Rule("iif lo accept");
        Rule("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept");
        Drop("ip", addresses.Where(static address => !address.IsV6));
        Drop("ip6", addresses.Where(static address => address.IsV6));
        return text.ToString();

        void Rule(string rule) => text.Append(CultureInfo.InvariantCulture, $"add rule inet {Table} {chain} {rule}\n");

        void Drop(string family, IEnumerable<PeerAddress> of)
        {
            string list = string.Join(", ", of.Select(static address => address.ToIPEndPoint().Address));
            if (list.Length > 0) Rule($"{family} daddr {{ {list} }} drop");
        }
    }

    private static void Hand(StreamWriter input, string commands)
    {
        try
        {
            using (input) input.Write(commands);
        }
        catch (IOException)
        {
            // It has ended before it has read them; why is in its own words and its exit code.
        }
    }

    private void Run(string commands) =>
        Run(_program ?? throw new IOException("Packets to virtual addresses can't be dropped (Accept = false): the program nft (nftables) is not installed."), ["-f", "-"], commands);

    private static string Run(string program, string[] arguments, string commands)
    {
        using Process process = new() { StartInfo = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true } };
        try
        {
            process.Start();
            Task<string> errors = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
            Hand(process.StandardInput, commands);
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                throw new IOException($"nft has not ended after {Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.");
            }

            if (process.ExitCode != 0) throw new IOException($"nft refuses the rules of the virtual addresses: {errors.GetAwaiter().GetResult().Trim()}");
            return output.GetAwaiter().GetResult();
        }
        catch (System.Runtime.InteropServices.ExternalException exception)
        {
            throw new IOException($"running {program}: {exception.Message}", exception);
        }
    }
}
