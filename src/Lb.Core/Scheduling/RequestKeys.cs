namespace Lb;

/// <summary>Makes 32 bits of what a hash policy goes by. Pure; a struct, so that the policy's code is compiled for it without a call in between.</summary>
internal interface IRequestKey
{
    /// <returns>False when the request has no such key.</returns>
    bool TryHash(in PickContext context, HashFunction function, out uint hash);
}

/// <summary>The client's address (HAProxy <c>balance source</c>): its words, whatever the function.</summary>
internal readonly struct SourceKey : IRequestKey
{
    public bool TryHash(in PickContext context, HashFunction function, out uint hash)
    {
        hash = context.Source.FoldedWords;
        return !context.Source.IsEmpty;
    }
}

/// <summary>The caller's own key (HAProxy <c>balance hash</c>).</summary>
internal readonly struct CallerKey : IRequestKey
{
    public bool TryHash(in PickContext context, HashFunction function, out uint hash)
    {
        hash = context.Key.HasValue ? KeyHash.Compute(function, context.Key.Bytes.Span) : 0;
        return context.Key.HasValue;
    }
}

/// <summary>The request's target (HAProxy <c>balance uri</c>): cut at <c>length</c> bytes, after <c>depth</c> directories, and before the query unless <c>whole</c>.</summary>
internal readonly struct UriKey(int length, int depth, bool whole, bool pathOnly) : IRequestKey
{
    public bool TryHash(in PickContext context, HashFunction function, out uint hash)
    {
        bool found = TryGet(in context, out ReadOnlySpan<byte> key);
        hash = found ? KeyHash.Compute(function, key) : 0;
        return found;
    }

    private bool TryGet(in PickContext context, out ReadOnlySpan<byte> key)
    {
        key = context.Request is null ? default : context.Request.Target;
        if (pathOnly) key = WithoutAuthority(key);
        if (length > 0 && key.Length > length) key = key[..length];

        int slashes = 0;
        for (int i = 0; i < key.Length; i++)
        {
            if (key[i] == '/' && ++slashes == depth + 1 && depth > 0) key = key[..i];
            else if (key[i] == '?' && !whole) key = key[..i];
        }

        return !key.IsEmpty;
    }

    // "http://host/path" and "/path" must give the same hash.
    private static ReadOnlySpan<byte> WithoutAuthority(ReadOnlySpan<byte> target)
    {
        if (target.IsEmpty || target[0] == '/') return target;
        int scheme = target.IndexOf("://"u8);
        if (scheme < 0) return target;
        target = target[(scheme + 3)..];
        int slash = target.IndexOf((byte)'/');
        return slash < 0 ? "/"u8 : target[slash..];
    }
}

/// <summary>A parameter of the query, or of a form in the body (HAProxy <c>balance url_param name [check_post]</c>).</summary>
internal readonly struct ParameterKey(byte[] name, bool checkPost) : IRequestKey
{
    public bool TryHash(in PickContext context, HashFunction function, out uint hash)
    {
        bool found = TryGet(in context, out ReadOnlySpan<byte> key);
        hash = found ? KeyHash.Compute(function, key) : 0;
        return found;
    }

    private bool TryGet(in PickContext context, out ReadOnlySpan<byte> key)
    {
        key = default;
        if (context.Request is null) return false;
        ReadOnlySpan<byte> target = context.Request.Target;
        int query = target.IndexOf((byte)'?');
        if (query >= 0 && TryFind(target[(query + 1)..], out key)) return true;

        // A value that runs to the end of what has arrived may be cut off: every attempt sees the same first part, so it is taken as it is.
        return checkPost && TryFind(context.Request.Body, out key);
    }

    private bool TryFind(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> value)
    {
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'&');
            ReadOnlySpan<byte> pair = end < 0 ? text : text[..end];
            if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name))
            {
                value = pair[(name.Length + 1)..];
                return !value.IsEmpty;
            }

            text = end < 0 ? default : text[(end + 1)..];
        }

        value = default;
        return false;
    }
}

/// <summary>A header (HAProxy <c>balance hdr(name) [use_domain_only]</c>).</summary>
internal readonly struct HeaderKey(byte[] name, bool useDomainOnly) : IRequestKey
{
    public bool TryHash(in PickContext context, HashFunction function, out uint hash)
    {
        bool found = TryGet(in context, out ReadOnlySpan<byte> key);
        hash = found ? KeyHash.Compute(function, key) : 0;
        return found;
    }

    private bool TryGet(in PickContext context, out ReadOnlySpan<byte> key)
    {
        key = default;
        if (context.Request is null || !context.Request.TryGetHeader(name, out key)) return false;
        if (useDomainOnly) key = MainDomain(key);
        return !key.IsEmpty;
    }

    // The label before the last dot: "www.example.org" gives "example".
    private static ReadOnlySpan<byte> MainDomain(ReadOnlySpan<byte> host)
    {
        int last = host.LastIndexOf((byte)'.');
        if (last < 0) return host;
        host = host[..last];
        return host[(host.LastIndexOf((byte)'.') + 1)..];
    }
}

/// <summary>The cookie of a Remote Desktop connection request (HAProxy <c>balance rdp-cookie(name)</c>).</summary>
internal readonly struct RdpCookieKey(byte[] name) : IRequestKey
{
    public bool TryHash(in PickContext context, HashFunction function, out uint hash)
    {
        bool found = RdpRequest.TryGetCookie(context.Request is null ? default : context.Request.FirstBytes, name, out ReadOnlySpan<byte> key);
        hash = found ? KeyHash.Compute(function, key) : 0;
        return found;
    }
}
