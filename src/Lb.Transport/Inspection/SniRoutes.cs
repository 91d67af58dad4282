using System.Collections.Frozen;
using System.Text;

namespace Lb.Transport;

/// <summary>
/// Finds the route of a ClientHello: an exact name, then the longest wildcard, then routes without names; of several with the same name the first whose
/// protocols fit. Immutable; looking one up allocates nothing.
/// </summary>
/// <typeparam name="T">What a route leads to.</typeparam>
internal sealed class SniRoutes<T>
    where T : class
{
    private readonly FrozenDictionary<string, Entry[]> _names;
    private readonly FrozenDictionary<string, Entry[]>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly Entry[] _nameless;

    /// <param name="routes">The routes in their order, valid, and what each leads to.</param>
    public SniRoutes(IEnumerable<(RouteOptions Route, T Target)> routes)
    {
        List<Entry> nameless = [];
        Dictionary<string, List<Entry>> names = new(StringComparer.Ordinal);
        foreach ((RouteOptions route, T target) in routes)
        {
            Entry entry = new([.. route.Alpn.Select(Encoding.ASCII.GetBytes)], target);
            if (route.Sni.Count == 0) nameless.Add(entry);

            // A wildcard is kept as what its names end with, the dot before it as well: no name begins with one.
            foreach (string sni in route.Sni)
            {
                string name = (sni.StartsWith("*.", StringComparison.Ordinal) ? sni[1..] : sni).ToLowerInvariant();
                if (names.TryGetValue(name, out List<Entry>? entries)) entries.Add(entry);
                else names[name] = [entry];
            }
        }

        _names = names.ToFrozenDictionary(static n => n.Key, static n => n.Value.ToArray(), StringComparer.Ordinal);
        _lookup = _names.GetAlternateLookup<ReadOnlySpan<char>>();
        _nameless = [.. nameless];
    }

    /// <summary>The target of the route, or null when it is in none.</summary>
    public T? Find(in ClientHello hello)
    {
        Span<char> text = stackalloc char[256];
        Ascii.ToLower(hello.ServerName, text, out int length);
        for (ReadOnlySpan<char> name = text[..length]; !name.IsEmpty;)
        {
            if (_lookup.TryGetValue(name, out Entry[]? entries) && First(entries, in hello) is { } found) return found;
            int dot = name[1..].IndexOf('.');
            name = dot < 0 ? default : name[(dot + 1)..];
        }

        return First(_nameless, in hello);
    }

    private static T? First(Entry[] entries, in ClientHello hello)
    {
        foreach (Entry entry in entries)
        {
            if (entry.Fits(in hello)) return entry.Target;
        }

        return null;
    }

    private sealed record Entry(byte[][] Protocols, T Target)
    {
        public bool Fits(in ClientHello hello)
        {
            foreach (byte[] protocol in Protocols)
            {
                if (hello.Offers(protocol)) return true;
            }

            return Protocols.Length == 0;
        }
    }
}
