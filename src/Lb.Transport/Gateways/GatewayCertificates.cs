using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Lb.Transport;

/// <summary>
/// The certificates of a gateway. They change as a whole or not at all: by themselves when their files change, by <see cref="Reload"/>, by a reload of the
/// configuration, or by <see cref="Set"/>. Handshakes from then on show the new ones; connections that are open live on. Any thread.
/// </summary>
public sealed class GatewayCertificates : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _gateway;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _watch;
    private GatewayTlsOptions _options;
    private string _stamp = "";
    private bool _isSet;
    private volatile TlsServer _current = null!;
    private volatile IReadOnlyList<GatewayCertificate> _all = [];
    private volatile string? _lastError;

    /// <exception cref="CertificateException">A file can't be used.</exception>
    internal GatewayCertificates(string gateway, GatewayTlsOptions options, TimeProvider time, ILogger logger)
    {
        _gateway = gateway;
        _options = options;
        _time = time;
        _logger = logger;
        Read();
        _watch = time.CreateTimer(static state => ((GatewayCertificates)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Schedule();
    }

    /// <summary>Those that are shown now; the first one also to clients that ask for none of them.</summary>
    public IReadOnlyList<GatewayCertificate> All => _all;

    /// <summary>Why the last change was refused; null when it was not.</summary>
    public string? LastError => _lastError;

    internal TlsServer Current => _current;

    /// <summary>Reads all files again, also after <see cref="Set"/>. When one of them can't be used everything stays as it was.</summary>
    /// <returns>False when it did; <see cref="LastError"/> says why.</returns>
    public bool Reload()
    {
        lock (_lock)
        {
            try
            {
                Read();
                _isSet = false;
                return true;
            }
            catch (CertificateException error)
            {
                Refuse(error.Message);
                return false;
            }
            catch (Exception error) when (error is CryptographicException or ArgumentException or NotSupportedException)
            {
                // What the system's library finds only when it sets TLS up. The watch has nobody who would hear of it: the process would end.
                Refuse(error.Message);
                return false;
            }
        }
    }

    /// <summary>Shows other certificates than those in the files, until <see cref="Reload"/> or a reload of the configuration.</summary>
    /// <param name="certificates">
    /// Those with a private key are shown for the names in them, the first one by default; those without are their authorities. They must not be disposed of.
    /// </param>
    /// <exception cref="ArgumentException">None has a private key.</exception>
    public void Set(params IReadOnlyList<X509Certificate2> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        X509Certificate2Collection chain = [.. certificates.Where(static c => !c.HasPrivateKey)];
        List<LoadedCertificate> own = [.. certificates.Where(static c => c.HasPrivateKey).Select(c => new LoadedCertificate(c, chain, CertificateFiles.NamesOf(c), "code"))];
        if (own.Count == 0) throw new ArgumentException("No certificate has a private key.", nameof(certificates));
        lock (_lock)
        {
            Publish(own);
            _isSet = true;
        }
    }

    /// <summary>Stops looking at the files. The gateway calls it.</summary>
    public void Dispose() => _watch.Dispose();

    /// <summary>Those of a gateway that goes by new options, which were checked before.</summary>
    /// <param name="before">What it had; null: no TLS, or it is new.</param>
    /// <param name="context">The options.</param>
    internal static GatewayCertificates? Follow(GatewayCertificates? before, in GatewayContext context)
    {
        if (context.Options.Tls is not { } options)
        {
            before?.Dispose();
            return null;
        }

        if (before is null) return new GatewayCertificates(context.Name, options, context.Loops.Loops[0].Time, context.Logger);
        before.Apply(options);
        return before;
    }

    private void Apply(GatewayTlsOptions options)
    {
        lock (_lock)
        {
            GatewayTlsOptions old = _options;
            _options = options;
            if (!Reload()) _options = old;
            Schedule();
        }
    }

    // A file that is being written is taken in the next round: what can't be used is looked at again until it can, or is as it was.
    private void Look()
    {
        lock (_lock)
        {
            if (!_isSet && HasChanged()) Reload();
        }
    }

    private void Read()
    {
        IReadOnlyList<CertificateOptions> files = List();
        string stamp = Stamp(files);
        Publish([.. files.Select(CertificateFiles.Load)]);
        _stamp = stamp;
    }

    private void Publish(IReadOnlyList<LoadedCertificate> certificates)
    {
        _current = new TlsServer(_options, certificates);
        _all = [.. certificates.Select(GatewayCertificate.From)];
        _lastError = null;
        DateTimeOffset now = _time.GetUtcNow();
        foreach (GatewayCertificate one in _all)
        {
            if (now < one.NotBefore || now > one.NotAfter) TransportLog.CertificateNotValid(_logger, _gateway, one.Source, one.NotBefore, one.NotAfter);
        }

        GatewayCertificate first = _all.MinBy(static c => c.NotAfter)!;
        TransportLog.CertificatesRead(_logger, _gateway, _all.Count, first.Source, first.NotAfter);
    }

    private void Refuse(string fault)
    {
        // Told once, not in every round.
        if (_lastError != fault) TransportLog.CertificatesRefused(_logger, _gateway, fault);
        _lastError = fault;
    }

    private void Schedule()
    {
        TimeSpan interval = _options.ReloadInterval > TimeSpan.Zero ? _options.ReloadInterval : Timeout.InfiniteTimeSpan;
        _watch.Change(interval, interval);
    }

    private bool HasChanged()
    {
        try
        {
            return Stamp(List()) != _stamp;
        }
        catch (CertificateException)
        {
            // Reading will find the same and tell of it.
            return true;
        }
    }

    private IReadOnlyList<CertificateOptions> List() =>
        _options.CertificateDirectory is { } directory ? [.. _options.Certificates, .. CertificateFiles.List(directory)] : [.. _options.Certificates];

    // Of the contents: the times of files say nothing where links are exchanged.
    private string Stamp(IEnumerable<CertificateOptions> certificates)
    {
        using IncrementalHash all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in certificates.SelectMany(CertificateFiles.FilesOf).Concat(_options.CaFile is { } authorities ? [authorities] : []))
        {
            byte[] content = CertificateFiles.ReadOrNothing(file);
            all.AppendData(Encoding.UTF8.GetBytes(file));
            all.AppendData(BitConverter.GetBytes(content.Length));
            all.AppendData(content);
        }

        return Convert.ToHexString(all.GetHashAndReset());
    }
}

/// <summary>A certificate that a gateway shows.</summary>
/// <param name="Source">The file it came from, or <c>code</c>.</param>
/// <param name="Subject">Whose it is.</param>
/// <param name="Names">The names it is chosen for.</param>
/// <param name="NotBefore">When it begins to be valid.</param>
/// <param name="NotAfter">When it expires.</param>
/// <param name="Thumbprint">SHA-1 of it, as other tools show it.</param>
public sealed record GatewayCertificate(string Source, string Subject, IReadOnlyList<string> Names, DateTimeOffset NotBefore, DateTimeOffset NotAfter, string Thumbprint)
{
    internal static GatewayCertificate From(LoadedCertificate loaded) => new(
        loaded.Source, loaded.Certificate.Subject, loaded.Names, new DateTimeOffset(loaded.Certificate.NotBefore), new DateTimeOffset(loaded.Certificate.NotAfter), loaded.Certificate.Thumbprint);
}
