using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Lb.Architecture.Tests;

/// <summary>Writes a package's public surface as C#-like lines: stable, sorted, one member a line, so that a review sees what a change does to users.</summary>
internal static class ApiWriter
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(object)] = "object", [typeof(string)] = "string", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short", [typeof(ushort)] = "ushort", [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long", [typeof(ulong)] = "ulong",
        [typeof(float)] = "float", [typeof(double)] = "double", [typeof(decimal)] = "decimal", [typeof(char)] = "char",
    };

    private static readonly NullabilityInfoContext Nullability = new();

    public static string Write(Assembly assembly)
    {
        StringBuilder text = new();
        IEnumerable<Type> types = assembly.GetExportedTypes().OrderBy(static t => t.Namespace, StringComparer.Ordinal).ThenBy(static t => t.FullName, StringComparer.Ordinal);
        string? space = null;
        foreach (Type type in types)
        {
            if (type.Namespace != space)
            {
                if (space is not null) text.Append('\n');
                text.Append("namespace ").Append(space = type.Namespace).Append('\n');
            }

            text.Append("\n  ").Append(Header(type)).Append('\n');
            foreach (string member in Members(type)) text.Append("    ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    private static string Header(Type type)
    {
        string name = NestedName(type);
        if (type.IsEnum) return $"public enum {name}{(Enum.GetUnderlyingType(type) == typeof(int) ? "" : $" : {Name(Enum.GetUnderlyingType(type))}")}";
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            return $"public delegate {TypeOf(invoke.ReturnParameter)} {name}({Parameters(invoke)})";
        }

        bool isRecord = type.GetMethods(Declared).Any(static m => m.Name == "PrintMembers" && IsGenerated(m));
        string kind = type.IsInterface ? "interface"
            : type.IsValueType ? (type.IsDefined(typeof(IsReadOnlyAttribute), false) ? "readonly " : "") + (isRecord ? "record struct" : "struct")
            : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + (isRecord ? "record" : "class");

        List<string> bases = [];
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)) bases.Add(Name(parent));

        // An interface that another one already brings says nothing new.
        Type[] all = type.GetInterfaces();
        IEnumerable<Type> own = all.Except(type.BaseType?.GetInterfaces() ?? []).Except(all.SelectMany(static i => i.GetInterfaces()));
        bases.AddRange(own.Where(i => i.IsPublic && !(isRecord && i == typeof(IEquatable<>).MakeGenericType(type))).Select(Name).Order(StringComparer.Ordinal));
        return $"public {kind} {name}{(bases.Count == 0 ? "" : $" : {string.Join(", ", bases)}")}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(static f => $"{f.Name} = {Convert.ToInt64(f.GetRawConstantValue(), CultureInfo.InvariantCulture)}");
        if (typeof(Delegate).IsAssignableFrom(type)) return [];

        IEnumerable<string> fields = type.GetFields(Declared).Where(static f => IsVisible(f) && !IsGenerated(f)).OrderBy(static f => f.Name, StringComparer.Ordinal).Select(Field);
        IEnumerable<string> constructors = type.GetConstructors(Declared).Where(static c => IsVisible(c) && !IsGenerated(c))
            .Select(c => $"{Access(c)} {PlainName(type)}({Parameters(c)})").Order(StringComparer.Ordinal);
        IEnumerable<string> properties = type.GetProperties(Declared).Where(static p => IsVisible(p.GetMethod) || IsVisible(p.SetMethod)).Where(static p => p.Name != "EqualityContract")
            .OrderBy(static p => p.Name, StringComparer.Ordinal).Select(Property);
        IEnumerable<string> methods = type.GetMethods(Declared)
            .Where(static m => IsVisible(m) && !IsGenerated(m) && (!m.IsSpecialName || m.Name.StartsWith("op_", StringComparison.Ordinal)))
            .OrderBy(static m => m.Name, StringComparer.Ordinal).ThenBy(Method, StringComparer.Ordinal).Select(Method);
        IEnumerable<string> events = type.GetEvents(Declared).Where(static e => IsVisible(e.AddMethod)).OrderBy(static e => e.Name, StringComparer.Ordinal)
            .Select(static e => $"{Access(e.AddMethod!)} event {Name(e.EventHandlerType!)} {e.Name}");
        return [.. fields, .. constructors, .. properties, .. events, .. methods];
    }

    private static string Field(FieldInfo field)
    {
        string type = Name(field.FieldType, Nullability.Create(field));
        string access = field.IsPublic ? "public" : "protected";
        return field.IsLiteral
            ? $"{access} const {type} {field.Name} = {Value(field.GetRawConstantValue())}"
            : $"{access} {(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{type} {field.Name}";
    }

    private static string Property(PropertyInfo property)
    {
        MethodInfo first = (IsVisible(property.GetMethod) ? property.GetMethod : property.SetMethod)!;
        string index = property.GetIndexParameters().Length == 0 ? "" : $"[{string.Join(", ", property.GetIndexParameters().Select(Parameter))}]";
        bool isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;
        string set = !IsVisible(property.SetMethod) ? "" : isInit ? " init;" : " set;";
        string required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        return $"{Access(first)} {required}{Modifiers(first)}{Name(property.PropertyType, Nullability.Create(property))} {(index.Length > 0 ? "this" : property.Name)}{index} {{{(IsVisible(property.GetMethod) ? " get;" : "")}{set} }}";
    }

    private static string Method(MethodInfo method)
    {
        string generics = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(static a => a.Name))}>" : "";
        string constraints = string.Concat(method.IsGenericMethod ? method.GetGenericArguments().Select(Constraint) : []);
        bool isExtension = method.IsDefined(typeof(ExtensionAttribute));
        return $"{Access(method)} {Modifiers(method)}{TypeOf(method.ReturnParameter)} {method.Name}{generics}({(isExtension ? "this " : "")}{Parameters(method)}){constraints}";
    }

    private static string Constraint(Type argument)
    {
        List<string> words = [];
        GenericParameterAttributes flags = argument.GenericParameterAttributes;
        if (flags.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint)) words.Add("struct");
        else if (flags.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint)) words.Add("class");
        words.AddRange(argument.GetGenericParameterConstraints().Where(static c => c != typeof(ValueType)).Select(Name));
        return words.Count == 0 ? "" : $" where {argument.Name} : {string.Join(", ", words)}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string words = parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params " : "";
        string value = parameter.HasDefaultValue ? $" = {Value(parameter.RawDefaultValue)}" : "";
        return $"{words}{TypeOf(parameter)} {parameter.Name}{value}";
    }

    private static string TypeOf(ParameterInfo parameter)
    {
        NullabilityInfo nullability = Nullability.Create(parameter);
        Type type = parameter.ParameterType;
        if (!type.IsByRef) return Name(type, nullability);
        string word = parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        return word + Name(type.GetElementType()!, nullability.ElementType ?? nullability);
    }

    private static string Modifiers(MethodInfo method)
    {
        if (method.DeclaringType!.IsInterface) return method.IsStatic ? "static " : "";
        if (method.IsStatic) return "static ";
        if (method.IsAbstract) return "abstract ";
        if (method.GetBaseDefinition() != method) return "override ";
        return method.IsVirtual && !method.IsFinal ? "virtual " : "";
    }

    private static string Name(Type type) => Name(type, null);

    private static string Name(Type type, NullabilityInfo? nullability)
    {
        string mark = nullability?.ReadState == NullabilityState.Nullable && !type.IsValueType ? "?" : "";
        if (type.IsArray) return $"{Name(type.GetElementType()!, nullability?.ElementType)}[]{mark}";
        if (Nullable.GetUnderlyingType(type) is { } inner) return $"{Name(inner)}?";
        if (Keywords.TryGetValue(type, out string? keyword)) return keyword + mark;
        if (type.IsGenericParameter) return type.Name + mark;
        if (!type.IsGenericType) return NestedName(type) + mark;

        Type[] arguments = type.GetGenericArguments();
        NullabilityInfo[] inside = nullability?.GenericTypeArguments ?? [];
        IEnumerable<string> names = arguments.Select((a, i) => Name(a, i < inside.Length ? inside[i] : null));
        if (type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true) return $"({string.Join(", ", names)})";
        return $"{PlainName(type)}<{string.Join(", ", names)}>{mark}";
    }

    private static string PlainName(Type type) => type.Name.Split('`')[0];

    private static string NestedName(Type type)
    {
        string name = type.IsGenericTypeDefinition ? $"{PlainName(type)}<{string.Join(", ", type.GetGenericArguments().Select(static a => a.Name))}>" : PlainName(type);
        return type.IsNested && !type.IsGenericParameter ? $"{NestedName(type.DeclaringType!)}.{name}" : name;
    }

    private static string Value(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        Enum choice => $"{choice.GetType().Name}.{choice}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static string Access(MethodBase method) => method.IsPublic ? "public" : "protected";

    private static bool IsVisible(MethodBase? method) => method is not null && (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly);

    private static bool IsVisible(FieldInfo field) => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly;

    private static bool IsGenerated(MemberInfo member) => member.IsDefined(typeof(CompilerGeneratedAttribute)) || member.Name.Contains('<', StringComparison.Ordinal);
}
