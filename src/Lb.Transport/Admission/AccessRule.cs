using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>A rule of a gateway: who it fits and what becomes of them. Its lists may be changed while it is asked. Any thread.</summary>
public sealed class AccessRule : IDisposable
{
    private readonly string[] _from;
    private readonly AddressListFile? _file;
    private long _hits;

    internal AccessRule(AccessRuleOptions options, string gateway, TimeProvider time, ILogger logger)
    {
        Action = options.Action;
        _from = [.. options.From];
        Addresses = new AddressList(_from.Select(static text => AddressPrefix.TryParse(text, out AddressPrefix prefix, out _) ? prefix : default));
        IsForAll = _from.Length == 0 && options.FromFile is null;
        if (options.FromFile is not { } path) return;
        FileAddresses = new AddressList();
        _file = new AddressListFile(path, FileAddresses, time);
        Tell(_file.Load());
        _file.Follow(Tell);

        void Tell(IReadOnlyList<ConfigurationError> errors)
        {
            if (errors.Count == 0) TransportLog.AddressesRead(logger, gateway, path, FileAddresses.Count);
            else TransportLog.AddressesNotRead(logger, gateway, path, string.Join("; ", errors));
        }
    }

    /// <summary>What becomes of a client that it fits.</summary>
    public AccessAction Action { get; }

    /// <summary>True for a rule without any addresses in its options: it fits every client.</summary>
    public bool IsForAll { get; }

    /// <summary>The networks of <see cref="AccessRuleOptions.From"/>, and what is added at run time; a reload that changes them begins anew.</summary>
    public AddressList Addresses { get; }

    /// <summary>The networks of <see cref="AccessRuleOptions.FromFile"/>; null without a file.</summary>
    public AddressList? FileAddresses { get; }

    /// <summary>Clients that it has decided on.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Ends following the file.</summary>
    public void Dispose() => _file?.Dispose();

    internal bool Fits(in PeerAddress client)
    {
        bool fits = IsForAll || Addresses.TryMatch(in client, out _) || FileAddresses?.TryMatch(in client, out _) == true;
        if (fits) Interlocked.Increment(ref _hits);
        return fits;
    }

    /// <summary>True when the options say the same: the rule stays, with its counters and what was changed at run time.</summary>
    internal bool Says(AccessRuleOptions options) => options.Action == Action && options.FromFile == _file?.Path && options.From.SequenceEqual(_from);
}
