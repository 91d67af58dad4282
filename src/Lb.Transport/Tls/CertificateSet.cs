using System.Collections.Frozen;

namespace Lb.Transport;

/// <summary>Certificates by name: exact before wildcard before the first. Immutable; any thread.</summary>
internal sealed class CertificateSet<T>
    where T : class
{
    private readonly FrozenDictionary<string, T> _exact;
    private readonly FrozenDictionary<string, T> _wildcards;
    private readonly T _first;
    private readonly bool _isStrict;

    /// <summary>Sorts them in.</summary>
    /// <param name="entries">One or more; of two for the same name the earlier one counts.</param>
    /// <param name="isStrict">Nothing is found for a name that nobody has.</param>
    public CertificateSet(IReadOnlyList<(T Entry, IReadOnlyList<string> Names)> entries, bool isStrict)
    {
        Dictionary<string, T> exact = new(StringComparer.OrdinalIgnoreCase), wildcards = new(StringComparer.OrdinalIgnoreCase);
        foreach ((T entry, IReadOnlyList<string> names) in entries)
        {
            foreach (string name in names)
            {
                if (name.StartsWith("*.", StringComparison.Ordinal)) wildcards.TryAdd(HostName.ToAscii(name[2..]), entry);
                else exact.TryAdd(HostName.ToAscii(name), entry);
            }
        }

        _first = entries[0].Entry;
        _isStrict = isStrict;
        _exact = exact.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        _wildcards = wildcards.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The one for a name; null when the client is to be refused.</summary>
    /// <param name="name">As the client says it; null or empty: it says none.</param>
    public T? Find(string? name)
    {
        if (!string.IsNullOrEmpty(name))
        {
            if (_exact.TryGetValue(name, out T? found)) return found;
            int dot = name.IndexOf('.', StringComparison.Ordinal);
            if (dot > 0 && _wildcards.TryGetValue(name[(dot + 1)..], out found)) return found;
        }

        return _isStrict ? null : _first;
    }
}
