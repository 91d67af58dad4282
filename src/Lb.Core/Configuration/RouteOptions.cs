namespace Lb;

/// <summary>
/// Sends some of a TCP gateway's clients to another pool, by what their TLS asks for; nothing is decrypted (HAProxy <c>use_backend … if { req.ssl_sni … }</c>).
/// Not thread-safe: filled once, then read.
/// </summary>
public sealed class RouteOptions
{
    /// <summary>
    /// Host names that the client may ask for: <c>a.example</c>, or <c>*.example.com</c> for everything below it. Compared without regard to case. An exact
    /// name goes before a wildcard, a longer wildcard before a shorter one, and both before a route without names; then the earlier route. Default empty: any,
    /// also none.
    /// </summary>
    public IList<string> Sni { get; } = [];

    /// <summary>Protocols of which the client must offer one, as <c>h2</c>; case counts. Default empty: any, also none.</summary>
    public IList<string> Alpn { get; } = [];

    /// <summary>Name of the pool. Required.</summary>
    [NotEmpty]
    public string Pool { get; set; } = "";
}
